/** Globs: `**`, `*`, `?`, `[…]`, `{a,b}`; dot files match. */

import picomatch from "picomatch";
import { badPattern } from "./bad_pattern.ts";

/** Compiles a glob. */
export function globMatcher(pattern: string): (path: string) => boolean {
  try {
    return picomatch(pattern, { dot: true, strictSlashes: false, nonegate: true });
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}
