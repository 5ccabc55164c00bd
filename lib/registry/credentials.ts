/** Where the credentials of a registry are looked up, and in which order. */

import { environmentCredential } from "./credentials_env.ts";
import { configFiles, credentialIn } from "./config_files.ts";

/** What proves to a registry who asks. */
export type Credential =
  /** User and password. */
  & (
    | { readonly kind: "password"; readonly user: string; readonly password: string }
    /** A refresh token, to be exchanged for tokens. */
    | { readonly kind: "identity"; readonly user: string; readonly token: string }
    /** A token that is sent as it is. */
    | { readonly kind: "token"; readonly token: string }
  )
  & {
    /** Where it comes from, for people. */
    readonly source: string;
  };

/** A declared registry on a host. */
export interface DeclaredRegistry {
  readonly name: string;
  /** Path in front of its repositories; may be empty. */
  readonly prefix: string;
}

/** Settings of {@link Credentials}. */
export interface CredentialsSettings {
  /** The declared registries on this host, for `IMAGES_<REGISTRY>_USERNAME` and `_PASSWORD`. */
  readonly registries?: readonly DeclaredRegistry[];
  /** @default the process's own */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Ends helpers. */
  readonly signal?: AbortSignal;
  /** Finds none: asks as anybody may. @default false */
  readonly anonymous?: boolean;
  /** How long a helper may take, in milliseconds. @default 30000 */
  readonly patience?: number;
}

/** What was found, and where it was looked for. */
export interface Finding {
  readonly credential?: Credential;
  /** The places that had nothing, for people. */
  readonly tried: readonly string[];
  /** A config file that cannot be read: there may be one in it. */
  readonly fault?: { readonly path: string; readonly why: string };
}

/** Looks up credentials, when they are asked for and not before. */
export class Credentials {
  readonly #settings: CredentialsSettings;

  /** Looks nothing up yet. */
  constructor(settings: CredentialsSettings = {}) {
    this.#settings = settings;
  }

  /**
   * The credential for a repository: from variables named after the declared registry, from the
   * config files of podman and docker and the helpers these name, from what CI systems provide.
   *
   * @param host of the reference, e.g. `docker.io`.
   */
  async find(host: string, repository: string): Promise<Finding> {
    const { registries = [], env = Deno.env.toObject(), signal, patience } = this.#settings;
    if (this.#settings.anonymous) return { tried: [] };
    const context = { env, ...(signal && { signal }), ...(patience && { patience }) };
    const tried: string[] = [];
    const declared = registries.filter(({ prefix }) => covers(prefix, repository))
      .sort((a, b) => b.prefix.length - a.prefix.length);
    for (const { name } of declared) {
      const stem = `IMAGES_${name.toUpperCase().replace(/[-.]/g, "_")}`;
      const own = environmentCredential(env, `${stem}_USERNAME`, `${stem}_PASSWORD`);
      if (own !== undefined) return { credential: own, tried };
      tried.push(`${stem}_USERNAME and _PASSWORD`);
    }
    let fault: Finding["fault"];
    const files = configFiles(env);
    if (env.REGISTRY_AUTH_FILE && files.length === 0) {
      tried.push(`${env.REGISTRY_AUTH_FILE} (it is not there)`);
    }
    for (const path of files) {
      const found = await credentialIn(path, host, repository, context);
      if (found.credential !== undefined) return { credential: found.credential, tried };
      if (found.isFaulty) fault ??= { path, why: found.why ?? "" };
      tried.push(found.why === undefined ? path : `${path} (${found.why})`);
    }
    for (const [user, password, fallback] of ciVariables(host, env)) {
      const found = environmentCredential(env, user, password, fallback);
      if (found !== undefined) return { credential: found, tried };
      tried.push(`${user} and ${password}`);
    }
    return fault === undefined ? { tried } : { tried, fault };
  }
}

/** The variables in which CI systems hand over credentials for a host. */
function ciVariables(
  host: string,
  env: Readonly<Record<string, string | undefined>>,
): (readonly [user: string, password: string, fallback?: string])[] {
  // GHCR takes any user name with a token.
  if (host === "ghcr.io") return [["GITHUB_ACTOR", "GITHUB_TOKEN", "github"]];
  if (env.CI_REGISTRY && host === env.CI_REGISTRY) {
    return [["CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD"], ["CI_DEPLOY_USER", "CI_DEPLOY_PASSWORD"]];
  }
  return [];
}

/** Says whether a repository lies below a path. */
export function covers(prefix: string, repository: string): boolean {
  return prefix === "" || repository === prefix || repository.startsWith(`${prefix}/`);
}
