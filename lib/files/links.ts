/** Globs whose files are reached through links. */

import { fixedPart, literalPattern } from "./selection.ts";

/**
 * Globs, and for each that goes through a link before its first wildcard the same glob of what the
 * link leads to. Links that only a wildcard matches, and links out of the folder, are not followed.
 *
 * @param root absolute path of the folder they are relative to.
 */
export function withLinksFollowed(root: string, globs: readonly string[]): readonly string[] {
  const found = globs.flatMap((glob) => followed(root, glob) ?? []);
  return found.length === 0 ? globs : [...globs, ...found];
}

function followed(root: string, glob: string): string | undefined {
  const [, sign = "", pattern = ""] = /^(!?)(?:\.\/+)*(.*)$/s.exec(glob) ?? [];
  const fixed = fixedPart(pattern).replace(/\/+$/, "");
  if (fixed === "") return undefined;
  const real = realPath(root, fixed);
  if (real === undefined || real === fixed) return undefined;
  return sign + literalPattern(real) + pattern.slice(fixed.length);
}

/** Where a path leads, relative to the folder; undefined where that is nowhere, or outside. */
function realPath(root: string, path: string): string | undefined {
  try {
    const folder = `${Deno.realPathSync(root)}/`;
    const real = Deno.realPathSync(`${root}/${path}`);
    return real.startsWith(folder) ? real.slice(folder.length) : undefined;
  } catch {
    return undefined;
  }
}
