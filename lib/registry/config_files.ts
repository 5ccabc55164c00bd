/**
 * The config files in which docker and podman keep credentials.
 *
 * @see containers-auth.json(5), https://docs.docker.com/reference/cli/docker/login/
 */

import { isObject } from "../dsl/shape.ts";
import { Fault } from "../model/errors.ts";
import { refusalOf } from "../model/os_errors.ts";
import { DOCKER_HUB } from "../model/reference.ts";
import type { Credential } from "./credentials.ts";
import { askHelper, type HelperContext } from "./helpers.ts";
import { readRegularText } from "../util/regular_file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Under which names Docker Hub's credentials are kept, docker's own first. */
const HUB_KEYS = [
  "https://index.docker.io/v1/",
  "index.docker.io",
  DOCKER_HUB,
  "registry-1.docker.io",
];

/** What a config file says of a repository. */
export interface FileFinding {
  readonly credential?: Credential;
  /** Why there is none, where that is not plain absence. */
  readonly why?: string;
  /** The file is not what it should be. */
  readonly isFaulty?: boolean;
}

/** The files that are there, in the order in which they are asked. */
export function configFiles(env: Environment): string[] {
  if (env.REGISTRY_AUTH_FILE) return [env.REGISTRY_AUTH_FILE].filter(isFile);
  const home = env.HOME;
  const config = env.XDG_CONFIG_HOME || (home && `${home}/.config`);
  const docker = env.DOCKER_CONFIG || (home && `${home}/.docker`);
  return [
    env.XDG_RUNTIME_DIR && `${env.XDG_RUNTIME_DIR}/containers/auth.json`,
    config && `${config}/containers/auth.json`,
    docker && `${docker}/config.json`,
  ].filter((path): path is string => Boolean(path) && isFile(path as string));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Looks a repository up in one file: `credHelpers` for the host, `auths` by the longest path, then
 * `credsStore`.
 */
export async function credentialIn(
  path: string,
  host: string,
  repository: string,
  context: HelperContext,
): Promise<FileFinding> {
  const config = readConfig(path);
  if (typeof config === "string") return { why: config, isFaulty: true };
  const { auths, credHelpers, credsStore } = config;
  const names = host === DOCKER_HUB ? HUB_KEYS : [host];
  const helper = names.map((name) => credHelpers[name]).find(isName);
  const helped = helper === undefined ? {} : await askHelper(helper, names, path, context);
  if (helped.credential !== undefined) return helped;
  const entry = keysFor(host, repository).map((key) => auths.get(key)).find(hasContent);
  if (entry !== undefined) return fromEntry(entry, path);
  if (helper !== undefined || credsStore === undefined) return helped;
  return await askHelper(credsStore, names, path, context);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

interface Config {
  /** By host and path, without scheme. */
  readonly auths: ReadonlyMap<string, AuthEntry>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  readonly auth?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly identitytoken?: unknown;
  readonly registrytoken?: unknown;
}

/** What a file holds, or why that cannot be told. An empty file is as good as none, null as nothing. */
function readConfig(path: string): Config | string {
  let document: unknown;
  try {
    const text = readRegularText(path).replace(/^\uFEFF/, "");
    document = text.trim() === "" ? {} : JSON.parse(text);
  } catch (error) {
    // The parser's own words quote the file, and so its secrets.
    if (error instanceof SyntaxError) return "it is not JSON";
    if (error instanceof Fault) return error.message.toLowerCase();
    return refusalOf(error as Error)?.message.toLowerCase() ?? (error as Error).name;
  }
  if (!isObject(document ?? {})) return "it is not an object";
  const { auths, credHelpers, credsStore } = (document ?? {}) as Record<string, unknown>;
  if (!isObject(auths ?? {}) || !isObject(credHelpers ?? {})) return "its members are not objects";
  return {
    auths: authsOf((auths ?? {}) as Record<string, AuthEntry>),
    credHelpers: (credHelpers ?? {}) as Record<string, unknown>,
    ...(isName(credsStore) ? { credsStore } : {}),
  };
}

/** Of several keys for one place that in today's form counts. */
function authsOf(auths: Readonly<Record<string, AuthEntry>>): Map<string, AuthEntry> {
  const found = new Map<string, AuthEntry>();
  for (const [key, entry] of Object.entries(auths)) {
    const plain = plainKey(key);
    if (plain === key || !hasContent(found.get(plain))) found.set(plain, entry);
  }
  return found;
}

/** Old files have URLs as keys, with the path of the API's version; hosts are in any case. */
function plainKey(key: string): string {
  const name = key.replace(/^https?:\/\//i, "").replace(/\/(?:v[12]\/?)?$/, "");
  const slash = name.indexOf("/");
  return slash < 0 ? name.toLowerCase() : name.slice(0, slash).toLowerCase() + name.slice(slash);
}

/** The keys that may hold a repository's credential: the longest path first, the host last. */
function keysFor(host: string, repository: string): string[] {
  const parts = repository.split("/");
  const paths = parts.map((_, at) => parts.slice(0, parts.length - at).join("/"));
  const hosts = host === DOCKER_HUB ? HUB_KEYS.map(plainKey) : [host];
  return [...hosts.flatMap((each) => paths.map((path) => `${each}/${path}`)), ...hosts];
}

/** With a store, docker leaves empty entries behind. */
function hasContent(entry: AuthEntry | undefined): boolean {
  return isObject(entry) && Object.values(entry).some((value) => value !== "");
}

function fromEntry(entry: AuthEntry, path: string): FileFinding {
  const { user, password } = userAndPassword(entry);
  const { identitytoken, registrytoken } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") {
    return { credential: { kind: "identity", user, token: identitytoken, source: path } };
  }
  if (typeof registrytoken === "string" && registrytoken !== "") {
    return { credential: { kind: "token", token: registrytoken, source: path } };
  }
  if (user === "" && password === "") return { why: "its entry cannot be read" };
  return { credential: { kind: "password", user, password, source: path } };
}

function userAndPassword({ auth, username, password }: AuthEntry) {
  if (typeof auth === "string" && auth !== "") {
    const text = decodeBase64(auth);
    const colon = text.indexOf(":");
    // Docker pads passwords with zero bytes in some versions.
    if (colon >= 0) {
      return { user: text.slice(0, colon), password: trimZeros(text.slice(colon + 1)) };
    }
  }
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { user: text(username), password: text(password) };
}

function decodeBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
  } catch {
    return "";
  }
}

function trimZeros(text: string): string {
  return text.replace(/\0+$/, "");
}
