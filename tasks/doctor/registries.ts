/** Whether declared registries may be written, asked of them by beginning an upload. */

import { asFault } from "../../lib/model/errors.ts";
import type { Project, Registry } from "../../lib/model/recipe.ts";
import { RegistryClient } from "../../lib/registry/client.ts";
import { Credentials } from "../../lib/registry/credentials.ts";
import { isAllowed, repositoryIn } from "../../lib/registry/publish/destination.ts";

/** How long a registry may take, all in all, in milliseconds. */
const PATIENCE = 20_000;

/** What was found of a registry. */
export interface RegistryState {
  readonly name: string;
  /** e.g. `ghcr.io/acme`. */
  readonly address: string;
  /** The repository that was tried. */
  readonly repository: string;
  /** Where the credential comes from; never what it is. */
  readonly credentials?: string;
  /** The places that had none. */
  readonly tried: readonly string[];
  readonly writable: boolean;
  readonly why?: string;
  readonly next?: string;
}

/** Looks at all of them at once. */
export function lookAtRegistries(project: Project): Promise<RegistryState[]> {
  return Promise.all(
    [...project.registries].map(([name, registry]) => lookAt(project, name, registry)),
  );
}

async function lookAt(project: Project, name: string, registry: Registry): Promise<RegistryState> {
  const { host, prefix, insecure } = registry;
  const image = [...project.images.values()].find((each) => isAllowed(each, name));
  const repository = image === undefined
    ? [prefix, "images"].filter((part) => part !== "").join("/")
    : repositoryIn(registry, image);
  const signal = AbortSignal.timeout(PATIENCE);
  const credentials = new Credentials({ registries: [{ name, prefix }], signal });
  const client = new RegistryClient({
    host,
    insecure,
    credentials,
    signal,
    pacing: { tries: 1 },
  });
  const common = { name, address: prefix === "" ? host : `${host}/${prefix}`, repository };
  let known: Pick<RegistryState, "credentials" | "tried"> = { tried: [] };
  try {
    const { credential, tried } = await credentials.find(host, repository);
    known = { tried, ...(credential === undefined ? {} : { credentials: credential.source }) };
    await client.tryWriting(repository);
    return { ...common, ...known, writable: true };
  } catch (error) {
    const fault = asFault(error);
    const why = signal.aborted ? `no answer within ${PATIENCE / 1000} s` : fault.message;
    const next = fault.next === undefined ? {} : { next: fault.next };
    return { ...common, ...known, writable: false, why, ...next };
  } finally {
    client.close();
  }
}
