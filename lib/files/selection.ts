/** From globs as people write them to a selection. */

import type { Selection } from "../model/selection.ts";

/** The selection of globs relative to a folder; a leading `!` leaves out what matches. */
export function selectionOf(globs: readonly string[], root = "."): Selection {
  const include = globs.filter((glob) => !glob.startsWith("!")).map(plain);
  const exclude = globs.filter((glob) => glob.startsWith("!")).map((glob) => plain(glob.slice(1)));
  return { root, include, ...(exclude.length === 0 ? {} : { exclude }) };
}

/**
 * The selections of a recipe's inputs: as {@link selectionOf}, and globs that name `.git` take it.
 * The others do not, so that `**` is the files of a project and not its history.
 */
export function inputSelections(globs: readonly string[]): Selection[] {
  if (globs.length === 0) return [];
  const selection = selectionOf(globs);
  const git = selection.include.filter(namesGit);
  if (git.length === 0) return [selection];
  const others = selection.include.filter((glob) => !namesGit(glob));
  return [
    ...(others.length === 0 ? [] : [{ ...selection, include: others }]),
    { ...selection, include: git, git: true },
  ];
}

function namesGit(glob: string): boolean {
  return glob.split("/").includes(".git");
}

/** `./src/` is `src`. */
function plain(glob: string): string {
  return glob.replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "") || "**";
}

/** The leading components of a glob that have no wildcards: nothing outside them can match. */
export function fixedPart(pattern: string): string {
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => /[*?[\]{}()!@+\\]/.test(part));
  return (wild === -1 ? parts : parts.slice(0, wild)).join("/");
}

/** The selection of one path from its own folder, which may be outside the project's. */
export function pathSelection(path: string): Selection {
  const at = path.lastIndexOf("/") + 1;
  const folder = path.slice(0, at);
  return {
    root: folder.slice(0, -1) || ".",
    include: [literalPattern(path.slice(at))],
    as: folder,
  };
}

/** A path as a pattern that matches nothing but it. */
export function literalPattern(path: string): string {
  return path.replace(/[*?[\]{}()!\\]/g, "\\$&");
}
