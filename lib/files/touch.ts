/** Whether a change of one path can change what a selection selects, whatever is there now. */

import type { Selection } from "../model/selection.ts";
import { anyOf, matcherOf } from "./match.ts";

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
  const folders = new Set([plain(selection.root), realFolder(root, selection.root)]);
  const touches = (path: string, folder: string): boolean => {
    if (path === folder || folder.startsWith(`${path}/`)) return true;
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
    !ancestorsOf(path).some(leftOut) && [...folders].some((folder) => touches(path, folder));
}

/** `a/b/c` and what it is in: `a`, `a/b`, `a/b/c`. */
export function ancestorsOf(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

function plain(folder: string): string {
  return folder === "." ? "" : folder.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
}

/** A selection may begin behind a link; git names what it leads to. */
function realFolder(root: string, folder: string): string {
  try {
    const real = Deno.realPathSync(`${root}/${folder}`);
    if (real === root) return "";
    return real.startsWith(`${root}/`) ? real.slice(root.length + 1) : plain(folder);
  } catch {
    return plain(folder);
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}
