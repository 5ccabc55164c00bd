/** Globs and files that are reached through links. */

import { manifestOf, type Projection } from "../model/projection.ts";
import type { Selection } from "../model/selection.ts";
import { fixedPart, literalPattern, pathSelection } from "./selection.ts";
import { isInStore, realPath, relativeTo, wayTo } from "./way.ts";

/**
 * Globs, and for each that goes through a link before its first wildcard the same glob of what the
 * link leads to. Links that only a wildcard matches, and links out of the folder, are not followed.
 *
 * @param root absolute path, without links, of the folder they are relative to.
 */
export function withLinksFollowed(root: string, globs: readonly string[]): readonly string[] {
  const found = globs.flatMap((glob) => followed(root, glob) ?? []);
  return found.length === 0 ? globs : [...globs, ...found];
}

/**
 * Projections of the files that their paths lead to. One that needs a manifest beside its file stays
 * as it is: beside the other there may be another one, and the whole file then counts.
 */
export function withRealPaths(
  root: string,
  projections: readonly Projection[],
): readonly Projection[] {
  return projections.map((each) =>
    manifestOf(each) === undefined
      ? { ...each, path: pathBelow(root, each.path) ?? each.path }
      : each
  );
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
  const real = pathBelow(root, fixed);
  if (real === undefined || real === fixed) return undefined;
  return sign + literalPattern(real) + rest;
}

/** Where a path leads, relative to the folder; undefined where that is nowhere, or outside. */
function pathBelow(root: string, path: string): string | undefined {
  const real = realPath(`${root}/${path}`);
  return real?.startsWith(`${root}/`) ? real.slice(root.length + 1) : undefined;
}

/**
 * Selections of a single file: it, wherever it is, and the links that its path leads through.
 *
 * @param root absolute path, without links, of the project's folder, which the file's is relative to.
 */
export function fileSelections(root: string, path: string): readonly Selection[] {
  const inside: string[] = [];
  const outside: Selection[] = [];
  for (const step of stepsOf(root, path)) {
    const below = relativeTo(root, step);
    if (below.startsWith("../")) outside.push(pathSelection(below));
    else inside.push(literalPattern(below));
  }
  return [...(inside.length === 0 ? [] : [{ root: ".", include: inside }]), ...outside];
}

/** The links on the way to a file, and the file, but what is in the store; all in real folders. */
function stepsOf(folder: string, path: string): ReadonlySet<string> {
  const { links, end } = wayTo(folder, path);
  return new Set([...links, end].filter((step) => !isInStore(step)));
}
