/** Authenticating to one registry: learning from its challenges, and keeping tokens. */

import type { Answer } from "./answer.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credential, Credentials, Finding } from "./credentials.ts";
import { type Doing, RegistryFault } from "./faults.ts";
import { isLoopback, redactUrl } from "./host.ts";
import { extend, includes } from "./scope.ts";
import type { Secrets } from "./secrets.ts";
import { basicHeader, fetchToken, type Token, type TokenServer } from "./token.ts";
import type { Transport } from "./transport.ts";

/** The way a registry wants it. */
type Way =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly server: TokenServer };

/** A token for some scopes, or one that is being fetched. */
interface Grant {
  readonly repository: string;
  readonly scopes: readonly string[];
  readonly token: Promise<Token>;
  /** When it is not used any more, in milliseconds since the process began. */
  usedUp: number;
}

/** What a request needs to be let in. */
export interface Wanted {
  readonly repository: string;
  readonly scopes: readonly string[];
  readonly doing: Doing;
}

/** A header, and what it was made of. */
export interface Proof {
  readonly header?: string;
  readonly grant?: Grant;
}

/** Settings of an {@link Authenticator}. */
export interface AuthenticatorSettings {
  /** As references name it. */
  readonly host: string;
  readonly credentials: Credentials;
  readonly transport: Transport;
  readonly secrets: Secrets;
  /** Plain http is allowed to this host. */
  readonly clear: boolean;
  /** Ends fetching tokens. */
  readonly signal: AbortSignal;
}

/** The share of its life after which a token is not used any more. */
const USED_UP = 0.1;
/** The most of a token's life that is given away for it to arrive in time, in milliseconds. */
const MARGIN = 5_000;

/** Authenticates to one registry. */
export class Authenticator {
  readonly #settings: AuthenticatorSettings;
  readonly #findings = new Map<string, Promise<Finding>>();
  readonly #grants: Grant[] = [];
  #way: Way | undefined;

  constructor(settings: AuthenticatorSettings) {
    this.#settings = settings;
  }

  /** What to send with a request; nothing until the registry has asked for something. */
  async prove(wanted: Wanted): Promise<Proof> {
    if (this.#way === undefined) return {};
    const { credential } = await this.#find(wanted.repository);
    if (this.#way.scheme === "basic" || credential?.kind === "token") {
      return credential === undefined ? {} : { header: basicHeader(credential) };
    }
    const grant = this.#grant(this.#way.server, credential, wanted);
    try {
      return { header: `Bearer ${(await grant.token).value}`, grant };
    } catch (error) {
      throw await this.#explained(error, wanted);
    }
  }

  /**
   * Learns from a status of 401.
   *
   * @param proof what was sent.
   * @returns the scopes to ask again with, or undefined where asking again is of no use.
   * @throws {RegistryFault} when the registry wants what is not known here.
   */
  async learn(
    answer: Answer,
    base: URL,
    proof: Proof,
    { scopes, doing, repository }: Wanted,
  ): Promise<readonly string[] | undefined> {
    const challenges = parseChallenges(answer.header("www-authenticate") ?? "");
    this.#way = this.#choose(challenges, base, doing);
    if (proof.header === undefined) {
      // It was asked before the way was known, perhaps by another request.
      const canProve = this.#way.scheme === "bearer" ||
        (await this.#find(repository)).credential !== undefined;
      return canProve ? scopes : undefined;
    }
    if (proof.grant === undefined) return undefined;
    this.#forget(proof.grant);
    const params = challenges.find(({ scheme }) => scheme === "bearer")?.params;
    if (params?.get("error") !== "insufficient_scope") return scopes;
    return extend(scopes, params.get("scope") ?? "");
  }

  /**
   * The fault for a request that was not let in: there is no credential, it is wrong, or it does not
   * allow this.
   *
   * @param text what the registry said.
   */
  async denied(wanted: Wanted, text: string, isWrong: boolean): Promise<RegistryFault> {
    const { host } = this.#settings;
    const { repository, doing: { action, where } } = wanted;
    const { credential, tried } = await this.#find(repository);
    const said = text === "" ? "" : ` (${text})`;
    if (credential === undefined) {
      return new RegistryFault(`Cannot ${action}: ${host} wants credentials${said}`, {
        denied: true,
      }, {
        where,
        next: `log in with \`docker login ${host}\`; none was found in ${
          tried.join(", ") || "config files"
        }`,
      });
    }
    const { source } = credential;
    if (isWrong) {
      const why = `${host} does not accept the credentials from ${source}${said}`;
      return new RegistryFault(`Cannot ${action}: ${why}`, { denied: true }, {
        where,
        next: `log in again with \`docker login ${host}\`, or correct ${source}`,
      });
    }
    const why = `the credentials from ${source} do not allow it${said}`;
    const options = { where, next: remedy(host, wanted) };
    return new RegistryFault(`Cannot ${action}: ${why}`, { denied: true }, options);
  }

  async #explained(error: unknown, wanted: Wanted): Promise<unknown> {
    const { status, text = "" } = error instanceof RegistryFault ? error.facts : {};
    if (status !== 401 && status !== 403) return error;
    return await this.denied(wanted, text, status === 401);
  }

  #find(repository: string): Promise<Finding> {
    const known = this.#findings.get(repository);
    if (known !== undefined) return known;
    const { credentials, host, secrets } = this.#settings;
    const finding = credentials.find(host, repository).then((found) => {
      const { credential } = found;
      if (credential !== undefined) secrets.add(...secretsOf(credential));
      return found;
    });
    this.#findings.set(repository, finding);
    return finding;
  }

  #grant(server: TokenServer, credential: Credential | undefined, wanted: Wanted): Grant {
    const now = performance.now();
    // A mount's token is for the mount: what it asks for besides may have been refused.
    const known = this.#grants.find(({ repository, scopes, usedUp }) =>
      usedUp > now && repository === wanted.repository && includes(scopes, wanted.scopes) &&
      scopes.length <= wanted.scopes.length
    );
    if (known !== undefined) return known;
    const { repository, scopes } = wanted;
    const token = fetchToken(server, scopes, credential, this.#settings);
    const grant: Grant = { repository, scopes, token, usedUp: Infinity };
    this.#grants.push(grant);
    token.then(
      ({ life }) => grant.usedUp = performance.now() + life - Math.min(MARGIN, life * USED_UP),
      () => this.#forget(grant),
    );
    return grant;
  }

  #forget(grant: Grant): void {
    const at = this.#grants.indexOf(grant);
    if (at >= 0) this.#grants.splice(at, 1);
  }

  #choose(challenges: readonly Challenge[], base: URL, { where }: Doing): Way {
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      const realm = URL.parse(bearer.params.get("realm") ?? "");
      if (realm !== null && this.#isSafe(realm, base)) {
        return { scheme: "bearer", server: { realm, service: bearer.params.get("service") ?? "" } };
      }
      if (!challenges.some(({ scheme }) => scheme === "basic")) throw badRealm(realm, where);
    }
    if (challenges.some(({ scheme }) => scheme === "basic")) return { scheme: "basic" };
    const schemes = challenges.map(({ scheme }) => scheme).join(", ") || "nothing";
    throw new RegistryFault(`The registry wants authentication by ${schemes}`, {}, {
      where,
      next: "only Basic and Bearer are supported; check what stands in front of the registry",
    });
  }

  /** Credentials go to https, or in the clear to this machine or a host declared insecure. */
  #isSafe(realm: URL, base: URL): boolean {
    if (realm.username !== "" || realm.password !== "") return false;
    if (realm.protocol === "https:") return !isLoopback(realm) || isLoopback(base);
    if (realm.protocol !== "http:" || !this.#settings.clear) return false;
    return isLoopback(base) ? isLoopback(realm) : realm.hostname === base.hostname;
  }
}

function badRealm(realm: URL | null, where: string): RegistryFault {
  const which = realm === null ? "no URL" : redactUrl(realm);
  return new RegistryFault(`The registry names ${which} as its token server`, {}, {
    where,
    next: "credentials go to https only; look at the registry's configuration",
  });
}

function remedy(host: string, { scopes }: Wanted): string {
  const writes = scopes.some((scope) => scope.endsWith("push"));
  if (!writes) return "use credentials that may read the repository, or correct its name";
  if (host === "ghcr.io") {
    return "give the token write access: `packages: write` in a workflow, write_packages otherwise";
  }
  return "use credentials that may write to the repository, or correct its name";
}

function secretsOf(credential: Credential): string[] {
  switch (credential.kind) {
    case "password":
      return [credential.password, `${credential.user}:${credential.password}`];
    case "identity":
      return [credential.token, `${credential.user}:${credential.token}`];
    case "token":
      return [credential.token];
  }
}
