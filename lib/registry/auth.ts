/** Authenticating to one registry: learning from its challenges, and keeping tokens. */

import type { Answer } from "./answer.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credential, Credentials, Finding } from "./credentials.ts";
import { badRealm, denial, type Wanted } from "./denials.ts";
import { type Doing, RegistryFault } from "./faults.ts";
import { isLoopback } from "./host.ts";
import type { Pacer } from "./pacer.ts";
import { extend, includes, pullScope } from "./scope.ts";
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
  /** Nobody in particular got it: the credential was refused with this. */
  refusedWith?: RegistryFault;
  /** When it is not used any more, in milliseconds since the process began. */
  usedUp: number;
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
  /** Told of what is no failure. */
  readonly notice: (message: string) => void;
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
  #saidRefused = false;

  constructor(settings: AuthenticatorSettings) {
    this.#settings = settings;
  }

  /** The fault for a request that a status of 401 still answers with all there is to prove. */
  async refused(wanted: Wanted, text: string, { grant }: Proof): Promise<RegistryFault> {
    const { status, text: said = "" } = grant?.refusedWith?.facts ?? {};
    if (status !== undefined) return await this.denied(wanted, said || text, status === 401);
    return await this.denied(wanted, text, grant === undefined);
  }

  /** Whether a status of 403 names rights that were not asked for. */
  namesMore(answer: Answer, { repository, scopes }: Wanted): boolean {
    const challenges = parseChallenges(answer.header("www-authenticate") ?? "");
    const texts = challenges.flatMap(({ params }) => params.get("scope") ?? []);
    const known = [...scopes, ...this.#named.get(repository) ?? []];
    return extend(known, texts.join(" ").split(" ").filter(isScope)) !== undefined;
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
      if ((status === 400 || isRefused(error)) && named.length > 0) {
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
    const finding = await this.#find(wanted.repository);
    return denial(this.#settings.host, finding, wanted, text, isWrong);
  }

  /** A request was answered: whether that needed the credential which was refused is known now. */
  async accepted({ grant }: Proof): Promise<void> {
    if (grant?.refusedWith === undefined || this.#saidRefused) return;
    this.#saidRefused = true;
    const { host, notice } = this.#settings;
    const { credential } = await this.#find(grant.repository);
    const source = credential?.source ?? "";
    notice(`${host} refuses the credentials from ${source}; it is read as anybody may`);
  }

  /** A refusal by the token server is one by the registry, unless it wants to be left alone. */
  async #explained(error: unknown, wanted: Wanted): Promise<unknown> {
    if (!isRefused(error)) return error;
    const { status, text = "" } = error.facts;
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
    const token = this.#fetch(server, scopes, credential).catch(async (error) => {
      const isPlain = scopes.length === 1 && scopes[0] === pullScope(repository);
      if (credential === undefined || !isPlain || !isRefused(error)) throw error;
      // What anybody may read needs no credential that works.
      const anonymous = await this.#fetch(server, scopes, undefined).catch(() => {
        throw error;
      });
      grant.refusedWith = error;
      return anonymous;
    });
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

/** Says whether a token server did not let somebody in. */
function isRefused(error: unknown): error is RegistryFault {
  if (!(error instanceof RegistryFault) || error.facts.temporary) return false;
  return error.facts.status === 401 || error.facts.status === 403;
}

function isScope(text: string): boolean {
  return /^[\x21-\x7e]{1,512}$/.test(text) && text.includes(":");
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
