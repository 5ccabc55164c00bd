/**
 * References to images in registries: `host/repository[:tag][@digest]`.
 *
 * Grammar and the defaults of Docker Hub as in distribution's `reference` package:
 * https://github.com/distribution/reference
 */

import { type Digest, isDigest } from "./digest.ts";
import { usageFault } from "./errors.ts";

/** A reference's parts, Docker Hub's defaults filled in. */
export interface Reference {
  /** Registry host with its port if one was given, e.g. `ghcr.io` or `localhost:5000`. */
  readonly host: string;
  /** Repository path below the host, e.g. `library/node`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** The name under which Docker Hub is written in references. */
export const DOCKER_HUB = "docker.io";

const REPOSITORY =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HOST_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const IPV6 = /^\[[0-9A-Fa-f:]+\]$/;
const PORT = /^[0-9]{1,5}$/;
const IMAGE_ID = /^[0-9a-f]{64}$/;

const REPOSITORY_LIMIT = 255;
const HOST_LIMIT = 255;
const LAST_PORT = 65_535;

/** Says whether a text can be a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Says whether a text can be a repository path. */
export function isRepository(text: string): boolean {
  return text.length <= REPOSITORY_LIMIT && REPOSITORY.test(text);
}

/** Says whether a text can be a registry's host: a name, an IPv4 address or `[IPv6]`, and a port. */
export function isRegistryHost(text: string): boolean {
  if (text.length > HOST_LIMIT) return false;
  const colon = text.lastIndexOf(":");
  const hasPort = colon > text.lastIndexOf("]");
  const port = hasPort ? text.slice(colon + 1) : "1";
  const name = hasPort ? text.slice(0, colon) : text;
  if (!PORT.test(port) || Number(port) < 1 || Number(port) > LAST_PORT) return false;
  if (name.startsWith("[")) return IPV6.test(name) && URL.canParse(`https://${name}/`);
  if (!name.split(".").every((label) => HOST_LABEL.test(label))) return false;
  // Numbers such as 1.2 or 0x7f.1 would be taken for the address of another host.
  const url = `https://${name}/`;
  return URL.canParse(url) && new URL(url).hostname === name.toLowerCase();
}

/**
 * Reads a reference. `node` means `docker.io/library/node`; neither tag nor digest is made up.
 *
 * @throws {Fault} when the text is no reference.
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const name = at < 0 ? text : text.slice(0, at);
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  const tag = hasTag ? name.slice(colon + 1) : undefined;
  const { host, repository } = splitHost(hasTag ? name.slice(0, colon) : name);
  const next = faultyPart(text, host, repository, tag, digest);
  if (next !== undefined) throw usageFault(`Cannot read the image reference "${text}"`, { next });
  return {
    host,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: digest as Digest }),
  };
}

/** Says whether a text can be read as a reference. */
export function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

/** What to do about the first part that is wrong; undefined where none is. */
function faultyPart(
  text: string,
  host: string,
  repository: string,
  tag: string | undefined,
  digest: string | undefined,
): string | undefined {
  if (!isRegistryHost(host)) {
    return `"${host}" is no host: write a name, an IPv4 address or [IPv6], and a port up to 65535`;
  }
  if (IMAGE_ID.test(text)) return "name the image's repository: 64 digits are an image's ID";
  if (repository.length > REPOSITORY_LIMIT) {
    return `shorten the repository: it has more than ${REPOSITORY_LIMIT} characters`;
  }
  if (!isRepository(repository)) {
    return isRepository(repository.toLowerCase())
      ? `correct the name to "${repository.toLowerCase()}": repositories are in lower case`
      : 'write it as "host/repository:tag" or "host/repository@sha256:…", in lower case';
  }
  if (tag !== undefined && !isTag(tag)) {
    return `correct the tag "${tag}": up to 128 letters, digits, _ . and -, the first no . or -`;
  }
  if (digest === undefined || isDigest(digest)) return undefined;
  return /^[a-z0-9]+:/.test(digest) && !digest.startsWith("sha256:")
    ? "name the sha256 digest: only that is supported"
    : 'correct the digest: "sha256:" and 64 hexadecimal digits in lower case';
}

/** Writes a reference in full. */
export function formatReference(reference: Reference): string {
  const { host, repository, tag, digest } = reference;
  return `${host}/${repository}${tag === undefined ? "" : `:${tag}`}${
    digest === undefined ? "" : `@${digest}`
  }`;
}

/** A first part with a dot or a port, or `localhost`, is a host; all else is on Docker Hub. */
function splitHost(name: string): { host: string; repository: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  if (first === "localhost" || first.includes(".") || first.includes(":")) {
    const host = first === "index.docker.io" ? DOCKER_HUB : first;
    const rest = name.slice(slash + 1);
    return {
      host,
      repository: host === DOCKER_HUB && !rest.includes("/") ? `library/${rest}` : rest,
    };
  }
  return { host: DOCKER_HUB, repository: slash < 0 ? `library/${name}` : name };
}
