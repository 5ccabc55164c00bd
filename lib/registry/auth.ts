/** Authenticating to one registry: learning from its challenges, and keeping tokens. */

import type { Answer } from "./answer.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credential, Credentials, Finding } from "./credentials.ts";
import { type Doing, isTemporary, RegistryFault } from "./faults.ts";
import { isLoopback, redactUrl } from "./host.ts";
import type { Pacer } from "./pacer.ts";
import { extend, includes } from "./scope.ts";
import type { Secrets } from "./secrets.ts";
import { basicHeader, fetchToken, type Token, type TokenServer } from "./token.ts";
import type { Transport } from "./transport.ts";

/** The way a registry wants it. */
type Way =
  | { readonly scheme: "basic" }
  | {
    readonly scheme: "bearer";
    readonly server: TokenServer;
    /** User and password would do, too. */
    readonly orBasic: boolean;
  };

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
  readonly pacer: Pacer;
  /** Ends fetching tokens. */
  readonly signal: AbortSignal;
}

/** Statuses of what is no token server. */
const NO_TOKENS = [404, 405, 410, 501];

/** The most scopes of one repository that are asked for because challenges name them. */
const MOST_NAMED = 16;

/** The share of its life after which a token is not used any more. */
const USED_UP = 0.1;
/** The most of a token's life that is given away for it to arrive in time, in milliseconds. */
const MARGIN = 5_000;

/** Authenticates to one registry. */
export class Authenticator {
  readonly #settings: AuthenticatorSettings;
  readonly #findings = new Map<string, Promise<Finding>>();
  readonly #grants: Grant[] = [];
  /** Repository → the scopes that challenges have named for it besides ours. */
  readonly #named = new Map<string, readonly string[]>();
  /** Refresh token → what the token server has given in its place. */
  readonly #rotated = new Map<string, string>();
  /** One refresh token at a time: it may be good for once. */
  #refreshing: Promise<unknown> = Promise.resolve();
  #way: Way | undefined;

  constructor(settings: AuthenticatorSettings) {
    this.#settings = settings;
  }

  /** Rights are asked for with tokens. */
  get usesTokens(): boolean {
    return this.#way?.scheme === "bearer";
  }

  /** What to send with a request; nothing until the registry has asked for something. */
  async prove(wanted: Wanted): Promise<Proof> {
    if (this.#way === undefined) return {};
    const { credential } = await this.#find(wanted.repository);
    if (this.#way.scheme === "basic" || credential?.kind === "token") {
      return credential === undefined ? {} : { header: basicHeader(credential) };
    }
    const { server, orBasic } = this.#way;
    const named = this.#named.get(wanted.repository) ?? [];
    const all = extend(wanted.scopes, named) ?? wanted.scopes;
    const grant = this.#grant(server, credential, { ...wanted, scopes: all });
    try {
      return { header: `Bearer ${(await grant.token).value}`, grant };
    } catch (error) {
      const { status = 0 } = error instanceof RegistryFault ? error.facts : {};
      if (orBasic && credential !== undefined && NO_TOKENS.includes(status)) {
        this.#way = { scheme: "basic" };
        return await this.prove(wanted);
      }
      const isRefused = (status === 400 || status === 401 || status === 403) && !isTemporary(error);
      if (isRefused && named.length > 0) {
        // What the challenge names may be more than there is to be had.
        this.#named.delete(wanted.repository);
        return await this.prove(wanted);
      }
      throw await this.#explained(error, wanted);
    }
  }

  /**
   * Learns from a status of 401.
   *
   * @param proof what was sent.
   * @returns whether to ask again.
   * @throws {RegistryFault} when the registry wants what is not known here.
   */
  async learn(answer: Answer, base: URL, proof: Proof, wanted: Wanted): Promise<boolean> {
    const { doing, repository } = wanted;
    const challenges = parseChallenges(answer.header("www-authenticate") ?? "");
    this.#way = this.#choose(challenges, base, doing);
    if (this.#way.scheme === "bearer") this.#remember(challenges, wanted);
    if (proof.header === undefined) {
      // It was asked before the way was known, perhaps by another request.
      return this.#way.scheme === "bearer" ||
        (await this.#find(repository)).credential !== undefined;
    }
    if (proof.grant === undefined) return false;
    this.#forget(proof.grant);
    return true;
  }

  /** A registry behind a gateway knows a repository by another name than we. */
  #remember(challenges: readonly Challenge[], { repository, scopes }: Wanted): void {
    const texts = challenges.flatMap(({ params }) => params.get("scope") ?? []);
    const known = this.#named.get(repository) ?? [];
    const more = extend([...scopes, ...known], texts.join(" ").split(" ").filter(isScope));
    if (more !== undefined) {
      this.#named.set(repository, more.slice(scopes.length, scopes.length + MOST_NAMED));
    }
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
    const { credential, tried, fault } = await this.#find(repository);
    const said = text === "" ? "" : ` (${text})`;
    const facts = { denied: true, status: isWrong ? 401 : 403, text };
    const make = (why: string, next: string) =>
      new RegistryFault(`Cannot ${action}: ${why}${said}`, facts, { where, next });
    if (credential === undefined) {
      if (fault !== undefined) {
        return make(
          `${host} wants credentials, and those in ${fault.path} cannot be read: ${fault.why}`,
          "correct that file, or log in again with `docker login` or `podman login`",
        );
      }
      return make(
        `${host} wants credentials`,
        `log in with \`docker login ${host}\`; none was found in ${
          tried.join(", ") || "config files"
        }`,
      );
    }
    const { source } = credential;
    return isWrong
      ? make(
        `${host} does not accept the credentials from ${source}`,
        `log in again with \`docker login ${host}\`, or correct ${source}`,
      )
      : make(`the credentials from ${source} do not allow it`, remedy(host, wanted));
  }

  /** A refusal by the token server is one by the registry, unless it wants to be left alone. */
  async #explained(error: unknown, wanted: Wanted): Promise<unknown> {
    const { status, text = "" } = error instanceof RegistryFault ? error.facts : {};
    if ((status !== 401 && status !== 403) || isTemporary(error)) return error;
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
    const token = this.#fetch(server, scopes, credential);
    const grant: Grant = { repository, scopes, token, usedUp: Infinity };
    this.#grants.push(grant);
    token.then(
      ({ life }) => grant.usedUp = performance.now() + life - Math.min(MARGIN, life * USED_UP),
      () => this.#forget(grant),
    );
    return grant;
  }

  #fetch(
    server: TokenServer,
    scopes: readonly string[],
    credential: Credential | undefined,
  ): Promise<Token> {
    const isSafe = (url: URL) => this.#isSafe(url, server.realm);
    const context = { ...this.#settings, isSafe };
    if (credential?.kind !== "identity") return fetchToken(server, scopes, credential, context);
    const fetching = this.#refreshing.then(async () => {
      const token = this.#rotated.get(credential.token) ?? credential.token;
      const fetched = await fetchToken(server, scopes, { ...credential, token }, context);
      if (fetched.refresh !== undefined) this.#rotated.set(credential.token, fetched.refresh);
      return fetched;
    });
    this.#refreshing = fetching.catch(() => {});
    return fetching;
  }

  #forget(grant: Grant): void {
    const at = this.#grants.indexOf(grant);
    if (at >= 0) this.#grants.splice(at, 1);
  }

  #choose(challenges: readonly Challenge[], base: URL, { where }: Doing): Way {
    const bearers = challenges.filter(({ scheme }) => scheme === "bearer");
    const orBasic = challenges.some(({ scheme }) => scheme === "basic");
    for (const { params } of bearers) {
      const realm = URL.parse(params.get("realm") ?? "");
      if (realm === null || !this.#isSafe(realm, base)) continue;
      return { scheme: "bearer", server: { realm, service: params.get("service") ?? "" }, orBasic };
    }
    if (orBasic) return { scheme: "basic" };
    const [bearer] = bearers;
    if (bearer !== undefined) throw badRealm(URL.parse(bearer.params.get("realm") ?? ""), where);
    const schemes = challenges.map(({ scheme }) => scheme).join(", ") || "nothing";
    throw new RegistryFault(`The registry wants authentication by ${schemes}`, { denied: true }, {
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
  return new RegistryFault(`The registry names ${which} as its token server`, { denied: true }, {
    where,
    next: "credentials go to https only; look at the registry's configuration",
  });
}

function isScope(text: string): boolean {
  return /^[\x21-\x7e]{1,512}$/.test(text) && text.includes(":");
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
