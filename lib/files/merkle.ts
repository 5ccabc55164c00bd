/** The root of an input tree. */

import { createHash } from "node:crypto";
import type { Entry } from "../model/selection.ts";

const SCHEME = "images-tree-1\n";

/**
 * sha256 over one line of JSON for each entry, in order: path, type, executable, and the digest or
 * target. JSON quotes every separator, so no two trees give the same lines.
 */
export function merkleRoot(entries: readonly Entry[]): string {
  let text = SCHEME;
  for (const { path, type, executable, digest, target } of entries) {
    text += `${JSON.stringify([path, type, executable, digest ?? target ?? null])}\n`;
  }
  return createHash("sha256").update(text).digest("hex");
}
