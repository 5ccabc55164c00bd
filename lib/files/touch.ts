/** Whether a change of one path can change what a selection selects, whatever is there now. */

import { join, relative } from "@std/path";
import type { Selection } from "../model/selection.ts";
import { anyOf, matcherOf } from "./match.ts";
import { ancestorsOf, onTheWay, wayTo } from "./way.ts";

/**
 * Says of paths, relative to the project's folder, whether changing them can touch a selection.
 * A path that is a folder, such as a submodule, stands for everything below it.
 *
 * @param root absolute path of the project's folder.
 * @param without globs relative to it; what they match, and all below it, is left out.
 */
export async function toucherOf(
  root: string,
  selection: Selection,
  without: readonly string[],
): Promise<(path: string) => boolean> {
  const matcher = await matcherOf(selection);
  const leftOut = await anyOf(without);
  const takesBelow = selection.takes !== "kinds";
  // A selection may begin behind a link; git names what it leads to.
  const way = wayTo(root, selection.root);
  const folders = new Set([plain(selection.root), relative(root, way.end)]);
  const isPassed = onTheWay([way]);
  const touches = (path: string, folder: string): boolean => {
    if (folder !== "" && !path.startsWith(`${folder}/`)) return false;
    const below = folder === "" ? path : path.slice(folder.length + 1);
    let taken = false;
    for (const part of ancestorsOf(below)) {
      if (matcher.leavesOut(part)) return false;
      taken = (taken && takesBelow) || matcher.takes(part);
    }
    if (isFolder(`${root}/${path}`)) return taken || matcher.mayTakeBelow(below);
    return taken && !matcher.hides(below);
  };
  return (path) =>
    !ancestorsOf(path).some(leftOut) &&
    (isPassed(join(root, path)) || [...folders].some((folder) => touches(path, folder)));
}

function plain(folder: string): string {
  return folder === "." ? "" : folder.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
}

function isFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}
