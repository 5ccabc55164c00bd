/** Finding in a registry what was published under a key. */

import { Fault } from "../../model/errors.ts";
import { CONTENT_TAG_PREFIX } from "../../model/key.ts";
import { type Descriptor, type Index, type Manifest, MediaType } from "../../model/oci.ts";
import { parseIndex, parseManifest } from "../../oci/documents.ts";
import type { RegistryClient } from "../client.ts";
import { RegistryFault } from "../faults.ts";

/** The annotation that carries the full key. */
export const KEY_ANNOTATION = "dev.images.key";

/** The annotation that names the image and the expectations it was found to meet. */
export const VERDICT_ANNOTATION = "dev.images.verdict";

/** A manifest or index as a registry has it. */
export interface Published {
  readonly tag: string;
  readonly descriptor: Descriptor;
  /** Exact bytes. */
  readonly bytes: Uint8Array;
  /** Of an image for one platform. */
  readonly manifest?: Manifest;
  /** Of an image for several. */
  readonly index?: Index;
}

/** Which content tags may be read and written. */
export interface TagRules {
  /** The job is for a pull request: it writes tags of its own and reads both kinds. */
  readonly pullRequest: boolean;
  /** Tags that pull requests wrote are read by everybody. */
  readonly trustPullRequests: boolean;
  /** A tool that knows nothing of keys writes these tags: an image that names no key counts. */
  readonly unmarked: boolean;
}

const PULL_REQUEST_PREFIX = `${CONTENT_TAG_PREFIX}pr-`;

/** The content tag that is written for a key. */
export function tagToWrite(key: string, rules: TagRules): string {
  return `${rules.pullRequest ? PULL_REQUEST_PREFIX : CONTENT_TAG_PREFIX}${key.slice(0, 32)}`;
}

/** The content tags that are read for a key, in their order. */
export function tagsToRead(key: string, rules: TagRules): string[] {
  const digits = key.slice(0, 32);
  const tags = [`${CONTENT_TAG_PREFIX}${digits}`];
  if (rules.pullRequest || rules.trustPullRequests) tags.push(`${PULL_REQUEST_PREFIX}${digits}`);
  return tags;
}

/**
 * What a repository holds under a key; one request for each tag that may be read.
 *
 * @throws {RegistryFault} also where one of the tags is refused to who asks, and none is found.
 */
export async function lookUp(
  client: RegistryClient,
  repository: string,
  key: string,
  rules: TagRules,
): Promise<Published | undefined> {
  let denied: RegistryFault | undefined;
  for (const tag of tagsToRead(key, rules)) {
    try {
      const published = await readTag(client, repository, tag);
      if (published === undefined) continue;
      const named = keyOf(published) ?? (rules.unmarked ? key : undefined);
      if (named === key) return published;
    } catch (error) {
      if (!(error instanceof RegistryFault)) throw error;
      // What is no image is none of ours.
      if (error.facts.noImage) continue;
      if (!error.facts.denied) throw error;
      denied ??= error;
    }
  }
  if (denied !== undefined) throw denied;
  return undefined;
}

/**
 * What a tag stands for; undefined where there is none.
 *
 * @throws {RegistryFault} of {@link isNoImage} where it is there and no image.
 */
export async function readTag(
  client: RegistryClient,
  repository: string,
  tag: string,
): Promise<Published | undefined> {
  const found = await client.manifest(repository, tag);
  if (found === undefined) return undefined;
  const where = `${client.host}/${repository}:${tag}`;
  const { mediaType } = found.descriptor;
  const isIndex = mediaType === MediaType.index || mediaType === MediaType.dockerIndex;
  try {
    return {
      tag,
      ...found,
      ...(isIndex
        ? { index: parseIndex(found.bytes, where) }
        : { manifest: parseManifest(found.bytes, where) }),
    };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { message, next } = error;
    const options = { where, ...(next === undefined ? {} : { next }), cause: error };
    throw new RegistryFault(message, { noImage: true }, options);
  }
}

/** Statuses with which registries answer for a document that they no longer serve, e.g. schema 1. */
const UNSERVED: readonly (number | undefined)[] = [400, 406, 415, 422];

/** Says whether a failure to read a tag means that it stands for no image. */
export function isNoImage(error: unknown): error is RegistryFault {
  if (!(error instanceof RegistryFault)) return false;
  return error.facts.noImage === true || UNSERVED.includes(error.facts.status);
}

/** The annotations of a manifest or index. */
export function annotationsOf({ manifest, index }: Published): Readonly<Record<string, string>> {
  return manifest?.annotations ?? index?.annotations ?? {};
}

function keyOf(published: Published): string | undefined {
  return annotationsOf(published)[KEY_ANNOTATION];
}
