/** The root of an input tree. */

import { createHash } from "node:crypto";
import type { Entry } from "../model/selection.ts";

const SCHEME = "images-tree-1\n";

/**
 * sha256 over one line of JSON for each entry, in order: path, type, executable, and the digest or
 * target. JSON quotes every separator, so no two trees give the same lines.
 */
export function merkleRoot(entries: readonly Entry[]): string {
  const hash = createHash("sha256").update(SCHEME);
  for (const { path, type, executable, digest, target } of entries) {
    hash.update(`${JSON.stringify([path, type, executable, digest ?? target ?? null])}\n`);
  }
  return hash.digest("hex");
}
