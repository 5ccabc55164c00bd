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
 * @param holdsOthers says whether there is anything below a folder that has not changed.
 */
export async function toucherOf(
  root: string,
  selection: Selection,
  without: readonly string[],
  holdsOthers: (folder: string) => boolean,
): Promise<(path: string) => boolean> {
  const matcher = await matcherOf(selection);
  const leftOut = await anyOf(without);
  const { takes = "all" } = selection;
  // Git knows no folders: one can come and go with a file that does not count itself.
  const comesOrGoes = (folder: string, part: string) =>
    takes !== "files" && !matcher.hides(part) && !holdsOthers(join(folder, part));
  // A selection may begin behind a link; git names what it leads to.
  const way = wayTo(root, selection.root);
  const folders = new Set([plain(selection.root), relative(root, way.end)]);
  const isPassed = onTheWay([way]);
  const touches = (path: string, folder: string): boolean => {
    if (folder !== "" && !path.startsWith(`${folder}/`)) return false;
    const below = folder === "" ? path : path.slice(folder.length + 1);
    const parts = ancestorsOf(below);
    const end = parts.findIndex(matcher.leavesOut);
    const kept = end < 0 ? parts : parts.slice(0, end);
    const taken = kept.filter((part, at) =>
      takes === "kinds" ? matcher.takes(part) : kept.slice(0, at + 1).some(matcher.takes)
    );
    const isTaken = taken.at(-1) === below;
    if (end < 0 && isFolder(`${root}/${path}`)) return isTaken || matcher.mayTakeBelow(below);
    return (isTaken && !matcher.hides(below)) ||
      taken.some((part) => part !== below && comesOrGoes(folder, part));
  };
  return (path) =>
    !ancestorsOf(path).some(leftOut) &&
    (isPassed(join(root, path)) || [...folders].some((folder) => touches(path, folder)));
}

/**
 * Says of folders, relative to the project's, whether there is anything below that has not changed.
 *
 * @param changed paths relative to it.
 */
export function holderOfOthers(
  root: string,
  changed: readonly string[],
): (folder: string) => boolean {
  const paths = new Set(changed);
  const holds = (folder: string): boolean =>
    entriesOf(`${root}/${folder}`).some(({ name, isDirectory }) =>
      isDirectory ? holds(join(folder, name)) : !paths.has(join(folder, name))
    );
  return holds;
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
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
