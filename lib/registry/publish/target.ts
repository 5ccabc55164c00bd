/** Where images are published: one repository of one registry, and what is written there. */

import { MediaType } from "../../model/oci.ts";
import { parseIndex, parseManifest } from "../../oci/documents.ts";
import type { RegistryClient } from "../client.ts";
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

/**
 * Writes a manifest or index under its content tag, unless one is there by now: that one counts.
 *
 * @param status what it is called if it is written.
 */
export async function putTagged(
  target: Target,
  key: string,
  mediaType: string,
  bytes: Uint8Array,
  status: "copied" | "pushed",
  force: boolean,
): Promise<Tagged> {
  const { client, repository, rules } = target;
  const begun = performance.now();
  const there = force ? undefined : await lookUp(client, repository, key, rules);
  if (there !== undefined) return { status: "current", published: there };
  const tag = tagToWrite(key, rules);
  const digest = await client.putManifest(repository, tag, mediaType, bytes);
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
