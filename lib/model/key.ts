/** What a key is made of. */

import type { Digest } from "./digest.ts";
import type { Json } from "./json.ts";
import type { SourceIdentity } from "./source.ts";

/** Raised whenever the same parts would give another key, or a record another meaning. */
export const KEY_SCHEMA = 1;

/** The parts of an image's key; the key is the sha256 of their canonical JSON. */
export interface ImageKeyParts {
  readonly schema: number;
  readonly plugin: { readonly name: string; readonly version: string };
  readonly platform: string;
  /** The recipe's options that can change the bits. */
  readonly options: Json;
  /** Merkle root of the input tree, 64 hex digits; null where an identity stands for it. */
  readonly inputs: string | null;
  /** What a plugin knows that is stronger than the input tree. */
  readonly identity?: Json;
  /** Variable → sha256 of its value, or null where it is not set. */
  readonly hostEnv: Readonly<Record<string, string | null>>;
  /** Reference → digest. */
  readonly bases: Readonly<Record<string, Digest>>;
  /** Remote source → digest of its content, or commit; undefined where there are none. */
  readonly sources?: Readonly<Record<string, SourceIdentity>>;
  /** Needed image → image ID on the same platform. */
  readonly images: Readonly<Record<string, Digest>>;
  /** Needed task → key. */
  readonly tasks: Readonly<Record<string, string>>;
}

/** The parts of a task's key. */
export interface TaskKeyParts {
  readonly schema: number;
  /** A command line; of a function its source text and its modules (path → sha256). */
  readonly run: Json;
  readonly cwd: string;
  readonly outputs: readonly string[];
  /** Merkle root of the inputs; null where none are declared. */
  readonly inputs: string | null;
  readonly hostEnv: Readonly<Record<string, string | null>>;
  readonly tasks: Readonly<Record<string, string>>;
}

/** What a content tag starts with, before 32 hex digits of the key. */
export const CONTENT_TAG_PREFIX = "content-";

/** The content tag of a key. */
export function contentTag(key: string): string {
  return `${CONTENT_TAG_PREFIX}${key.slice(0, 32)}`;
}

/** What a source tag starts with, before 32 hex digits of the source key. */
export const SOURCE_TAG_PREFIX = "source-";

/** Says whether a tag is one of the cache's own, which no mutable tag may be. */
export function isCacheTag(tag: string): boolean {
  return [CONTENT_TAG_PREFIX, SOURCE_TAG_PREFIX].some((prefix) => tag.startsWith(prefix));
}
