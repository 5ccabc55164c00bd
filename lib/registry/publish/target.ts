/** Where images are published: one repository of one registry, and what is written there. */

import type { Digest } from "../../model/digest.ts";
import { CONTENT_TAG_PREFIX } from "../../model/key.ts";
import { MediaType } from "../../model/oci.ts";
import { parseIndex, parseManifest } from "../../oci/documents.ts";
import type { RegistryClient } from "../client.ts";
import { RegistryFault, unlessDenied } from "../faults.ts";
import type { Blobs } from "./blobs.ts";
import { lookUp, type Published, type TagRules, tagToWrite } from "./lookup.ts";

/** A repository of a registry, and how it is spoken to. */
export interface Target {
  /** Name of the declared registry. */
  readonly registry: string;
  readonly client: RegistryClient;
  readonly blobs: Blobs;
  readonly repository: string;
  readonly rules: TagRules;
  /** What is published under a key, asked for once. */
  readonly find: (key: string) => Promise<Published | undefined>;
  /** Tells people what is no failure. */
  readonly notice: (message: string) => void;
}

/** A manifest or index under its content tag, and how it came to be there. */
export interface Tagged {
  readonly status: "current" | "copied" | "pushed";
  readonly published: Published;
  /**
   * Of one that was written, the time from the last look to the registry's answer, in milliseconds:
   * for so long another run may have been as unaware of us as we of it.
   */
  readonly ms?: number;
}

/** `host/repository:tag` of a tag in a target. */
export function referenceOf({ client, repository }: Target, tag: string): string {
  return `${client.host}/${repository}:${tag}`;
}

/** What is written under a content tag. */
export interface TaggedContent {
  readonly key: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/**
 * Writes a manifest or index under its content tag, unless one is there by now: that one counts.
 *
 * @param status what it is called if it is written.
 */
export async function putTagged(
  target: Target,
  { key, mediaType, bytes }: TaggedContent,
  status: "copied" | "pushed",
  force: boolean,
): Promise<Tagged> {
  const { client, repository, rules } = target;
  const begun = performance.now();
  const there = force ? undefined : await findToWrite(target, key);
  if (there !== undefined) return { status: "current", published: there };
  const tag = tagToWrite(key, rules);
  let digest: Digest;
  try {
    digest = await client.putManifest(repository, tag, mediaType, bytes);
  } catch (error) {
    return await adoptRefused(target, key, error, force);
  }
  const published = { tag, descriptor: { mediaType, digest, size: bytes.length }, bytes };
  const where = referenceOf(target, tag);
  const isIndex = mediaType === MediaType.index || mediaType === MediaType.dockerIndex;
  return {
    status,
    ms: performance.now() - begun,
    published: isIndex
      ? { ...published, index: parseIndex(bytes, where) }
      : { ...published, manifest: parseManifest(bytes, where) },
  };
}

/** What a repository holds under a key, for who is about to write it: to be refused says nothing. */
function findToWrite(
  { client, repository, rules }: Target,
  key: string,
): Promise<Published | undefined> {
  return unlessDenied(lookUp(client, repository, key, rules));
}

/**
 * The image of another run that a registry holds by now, although ours was refused: its tags are
 * immutable, or both were written at one moment.
 *
 * @throws what the registry refused with, where there is none.
 */
async function adoptRefused(
  target: Target,
  key: string,
  error: unknown,
  force: boolean,
): Promise<Tagged> {
  if (!(error instanceof RegistryFault)) throw error;
  const { immutable = false, temporary = false, status } = error.facts;
  if (temporary || status === undefined || (force && !immutable)) throw error;
  const there = await findToWrite(target, key);
  if (there === undefined) {
    throw immutable ? takenFault(target, tagToWrite(key, target.rules), error) : error;
  }
  const why = immutable ? "is immutable there" : "was written by another run meanwhile";
  target.notice(`${referenceOf(target, there.tag)} ${why}; the image that it stands for counts`);
  return { status: "current", published: there };
}

function takenFault(target: Target, tag: string, { message, facts }: RegistryFault): RegistryFault {
  return new RegistryFault(`${message}, and it does not stand for this key`, facts, {
    where: referenceOf(target, tag),
    next:
      `delete that tag at the registry, or except ${CONTENT_TAG_PREFIX}* from its immutable tags`,
  });
}
