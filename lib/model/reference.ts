/**
 * References to images in registries: `host/repository[:tag][@digest]`.
 *
 * Grammar and the defaults of Docker Hub as in distribution's `reference` package:
 * https://github.com/distribution/reference
 */

import { type Digest, parseDigest } from "./digest.ts";
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

/** Says whether a text can be a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Says whether a text can be a repository path. */
export function isRepository(text: string): boolean {
  return text.length <= 255 && REPOSITORY.test(text);
}

/**
 * Reads a reference. `node` means `docker.io/library/node`; neither tag nor digest is made up.
 *
 * @throws {Fault} when the text is no reference.
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1), text);
  const name = at < 0 ? text : text.slice(0, at);
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  const tag = hasTag ? name.slice(colon + 1) : undefined;
  const { host, repository } = splitHost(hasTag ? name.slice(0, colon) : name);
  if (!isRepository(repository) || (tag !== undefined && !isTag(tag))) {
    throw usageFault(`Cannot read the image reference "${text}"`, {
      next: 'write it as "host/repository:tag" or "host/repository@sha256:…", in lower case',
    });
  }
  return {
    host,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
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
