/** From globs as people write them to a selection. */

import type { Selection } from "../model/selection.ts";

/** The selection of globs relative to a folder; a leading `!` leaves out what matches. */
export function selectionOf(globs: readonly string[], root = "."): Selection {
  const include = globs.filter((glob) => !glob.startsWith("!")).map(plain);
  const exclude = globs.filter((glob) => glob.startsWith("!")).map((glob) => plain(glob.slice(1)));
  return { root, include, ...(exclude.length === 0 ? {} : { exclude }) };
}

/** `./src/` is `src`. */
function plain(glob: string): string {
  return glob.replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "") || "**";
}

/** A path as a pattern that matches nothing but it. */
export function literalPattern(path: string): string {
  return path.replace(/[*?[\]{}()!\\]/g, "\\$&");
}
