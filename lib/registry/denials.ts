/** The faults of requests that are not let in. */

import type { Finding } from "./credentials.ts";
import { type Doing, RegistryFault } from "./faults.ts";
import { redactUrl } from "./host.ts";

/** What a request needs to be let in. */
export interface Wanted {
  readonly repository: string;
  readonly scopes: readonly string[];
  readonly doing: Doing;
}

/**
 * The fault for a request that was not let in: there is no credential, it is wrong, or it does not
 * allow this.
 *
 * @param text what the registry said.
 */
export function denial(
  host: string,
  { credential, tried, fault }: Finding,
  wanted: Wanted,
  text: string,
  isWrong: boolean,
): RegistryFault {
  const { action, where } = wanted.doing;
  const said = text === "" ? "" : ` (${text})`;
  const facts = { denied: true, status: isWrong ? 401 : 403, text };
  const make = (why: string, next: string) =>
    new RegistryFault(`Cannot ${action}: ${why}${said}`, facts, { where, next });
  if (credential !== undefined) {
    const { source } = credential;
    return isWrong
      ? make(
        `${host} does not accept the credentials from ${source}`,
        `log in again with \`docker login ${host}\`, or correct ${source}`,
      )
      : make(`the credentials from ${source} do not allow it`, remedy(host, wanted));
  }
  if (fault !== undefined) {
    return make(
      `${host} wants credentials, and those in ${fault.path} cannot be read: ${fault.why}`,
      "correct that file, or log in again with `docker login` or `podman login`",
    );
  }
  return make(
    `${host} wants credentials`,
    `log in with \`docker login ${host}\`; none was found in ${tried.join(", ") || "config files"}`,
  );
}

function remedy(host: string, { scopes, doing: { isStrange } }: Wanted): string {
  const writes = scopes.some((scope) => scope.endsWith("push"));
  if (!writes) {
    const name = isStrange ? "the reference" : "its name";
    return `use credentials that may read the repository, or correct ${name}`;
  }
  if (host === "ghcr.io") {
    return "give the token write access: `packages: write` in a workflow, write_packages otherwise";
  }
  return "use credentials that may write to the repository, or correct its name";
}

/** The fault for a registry that sends credentials where they must not go. */
export function badRealm(realm: URL | null, where: string): RegistryFault {
  const which = realm === null ? "no URL" : redactUrl(realm);
  return new RegistryFault(`The registry names ${which} as its token server`, { denied: true }, {
    where,
    next: "credentials go to https only; look at the registry's configuration",
  });
}
