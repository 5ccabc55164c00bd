/** Whether a remote image is public: asked without credentials. */

import type { Digest } from "../model/digest.ts";
import { formatReference, type Reference } from "../model/reference.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { Location } from "../registry/mirrors.ts";
import type { Session } from "./session.ts";

/**
 * Whether anybody may read a remote image where it can be had; undefined where no registry answers.
 *
 * @param layer one of its layers, where the reference has neither tag nor digest.
 */
export function isReadableByAll(
  session: Session,
  reference: Reference,
  layer: Digest | undefined,
): Promise<boolean | undefined> {
  const { host, repository, digest, tag } = reference;
  const isNamed = digest !== undefined || tag !== undefined || layer === undefined;
  const name = isNamed ? formatReference(reference) : `${host}/${repository} ${layer}`;
  return session.once(`readable by all: ${name}`, async () => {
    const isThere = async (client: RegistryClient, path: string) =>
      isNamed
        ? await client.probe(path, digest ?? tag ?? "latest") !== undefined
        : await client.hasBlob(path, layer);
    const locations = await session.registries.locations(host, repository, digest !== undefined);
    const answers = await Promise.all(
      locations.map((location) => askWithoutCredentials(session, location, isThere)),
    );
    if (answers.includes(true)) return true;
    return answers.includes(false) ? false : undefined;
  });
}

async function askWithoutCredentials(
  session: Session,
  { host, repository, insecure }: Location,
  isThere: (client: RegistryClient, repository: string) => Promise<boolean>,
): Promise<boolean | undefined> {
  const { RegistryClient } = await import("../registry/client.ts");
  const { Credentials } = await import("../registry/credentials.ts");
  const { RegistryFault } = await import("../registry/faults.ts");
  const client = new RegistryClient({
    host,
    insecure,
    credentials: new Credentials({ anonymous: true }),
    signal: session.signal,
  });
  try {
    if (await isThere(client, repository)) return true;
    // Some say of what is private that it is not there.
    const own = await session.registries.client(host, insecure);
    return await isThere(own, repository) ? false : undefined;
  } catch (error) {
    session.signal.throwIfAborted();
    if (!(error instanceof RegistryFault)) throw error;
    return error.facts.denied === true ? false : undefined;
  } finally {
    client.close();
  }
}
