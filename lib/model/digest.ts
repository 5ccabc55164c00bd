/**
 * Content digests as the OCI image specification writes them.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */

import { Fault } from "./errors.ts";

/** A sha256 content digest: `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

const PATTERN = /^sha256:[0-9a-f]{64}$/;

/** Says whether a value is a sha256 digest in its canonical form. */
export function isDigest(value: unknown): value is Digest {
  return typeof value === "string" && PATTERN.test(value);
}

/**
 * Reads a digest that came from outside.
 *
 * @throws {Fault} when the text is no sha256 digest.
 */
export function parseDigest(text: string, where?: string): Digest {
  if (isDigest(text)) return text;
  throw new Fault(`Cannot read the digest "${text}": it is not "sha256:" and 64 hex digits`, {
    ...(where === undefined ? {} : { where }),
    next: "only sha256 digests are supported",
  });
}

/** The 64 hexadecimal digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** The digest with these 64 hexadecimal digits. */
export function digestOfHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

/** A digest or commit cut for people: twelve hexadecimal digits. */
export function shortDigest(digest: string): string {
  return digest.replace(/^(?:sha256|commit):/, "").slice(0, 12);
}
