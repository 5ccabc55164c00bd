/** Globs and files that are reached through links. */

import type { Selection } from "../model/selection.ts";
import { fixedPart, literalPattern } from "./selection.ts";
import { isInStore, relativeTo, wayTo } from "./way.ts";

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

/** The paths that globs name in front of their first wildcards. */
export function fixedPaths(globs: readonly string[]): readonly string[] {
  return globs.map((glob) => partsOf(glob).fixed).filter((path) => path !== "");
}

function partsOf(glob: string): { sign: string; fixed: string; rest: string } {
  const [, sign = "", pattern = ""] = /^(!?)(?:\.\/+)*(.*)$/s.exec(glob) ?? [];
  const fixed = fixedPart(pattern).replace(/\/+$/, "");
  return { sign, fixed, rest: pattern.slice(fixed.length) };
}

function followed(root: string, glob: string): string | undefined {
  const { sign, fixed, rest } = partsOf(glob);
  if (fixed === "") return undefined;
  const real = realPath(root, fixed);
  if (real === undefined || real === fixed) return undefined;
  return sign + literalPattern(real) + rest;
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

/**
 * Selections of a single file: it, wherever it is, and the links that its path leads through.
 *
 * @param root absolute path of the project's folder, which the file's path is relative to.
 */
export function fileSelections(root: string, path: string): readonly Selection[] {
  const project = Deno.realPathSync(root);
  const inside: string[] = [];
  const outside: Selection[] = [];
  for (const step of stepsOf(project, path)) {
    const below = relativeTo(project, step);
    const slash = below.lastIndexOf("/") + 1;
    if (!below.startsWith("../")) inside.push(literalPattern(below));
    else {
      const folder = below.slice(0, slash);
      const include = [literalPattern(below.slice(slash))];
      outside.push({ root: folder.slice(0, -1), include, as: folder });
    }
  }
  return [...(inside.length === 0 ? [] : [{ root: ".", include: inside }]), ...outside];
}

/** The links on the way to a file, and the file, but what is in the store; all in real folders. */
function stepsOf(folder: string, path: string): ReadonlySet<string> {
  const { links, end } = wayTo(folder, path);
  return new Set([...links, end].filter((step) => !isInStore(step)));
}
