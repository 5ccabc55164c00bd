/** Finding in a registry what was published under a key. */

import { Fault } from "../../model/errors.ts";
import { CONTENT_TAG_PREFIX, SOURCE_TAG_PREFIX } from "../../model/key.ts";
import { type Descriptor, type Index, type Manifest, MediaType } from "../../model/oci.ts";
import { parseIndex, parseManifest } from "../../oci/documents.ts";
import type { RegistryClient } from "../client.ts";
import { RegistryFault } from "../faults.ts";

/** The annotation that carries the full key. */
export const KEY_ANNOTATION = "dev.images.key";

/** The annotation that names the image and the expectations it was found to meet. */
export const VERDICT_ANNOTATION = "dev.images.verdict";

/** The annotation that names the images its tool took layers from, where others may not know them. */
export const BASES_ANNOTATION = "dev.images.bases";

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

type Prefix = typeof CONTENT_TAG_PREFIX | typeof SOURCE_TAG_PREFIX;

/** The content tag that is written for a key, or the source tag for a source key. */
export function tagToWrite(
  key: string,
  rules: TagRules,
  prefix: Prefix = CONTENT_TAG_PREFIX,
): string {
  return `${prefix}${rules.pullRequest ? "pr-" : ""}${key.slice(0, 32)}`;
}

/** The content tags that are read for a key, or the source tags for a source key, in their order. */
export function tagsToRead(
  key: string,
  rules: TagRules,
  prefix: Prefix = CONTENT_TAG_PREFIX,
): string[] {
  const digits = key.slice(0, 32);
  const tags = [`${prefix}${digits}`];
  if (rules.pullRequest || rules.trustPullRequests) tags.push(`${prefix}pr-${digits}`);
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
  return await firstFound(client, repository, tagsToRead(key, rules), (published) => {
    const named = keyOf(published) ?? (rules.unmarked ? key : undefined);
    return named === key;
  });
}

/**
 * What a repository holds under a source key: an image that names its own key.
 *
 * @throws {RegistryFault} also where one of the tags is refused to who asks, and none is found.
 */
export async function lookUpSource(
  client: RegistryClient,
  repository: string,
  source: string,
  rules: TagRules,
): Promise<Published | undefined> {
  const tags = tagsToRead(source, rules, SOURCE_TAG_PREFIX);
  return await firstFound(client, repository, tags, (published) => keyOf(published) !== undefined);
}

async function firstFound(
  client: RegistryClient,
  repository: string,
  tags: readonly string[],
  isWanted: (published: Published) => boolean,
): Promise<Published | undefined> {
  let denied: RegistryFault | undefined;
  for (const tag of tags) {
    try {
      const published = await readTag(client, repository, tag);
      if (published !== undefined && isWanted(published)) return published;
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

/** The key that a published image names. */
export function keyOf(published: Published): string | undefined {
  const key = annotationsOf(published)[KEY_ANNOTATION];
  return key !== undefined && /^[0-9a-f]{64}$/.test(key) ? key : undefined;
}
