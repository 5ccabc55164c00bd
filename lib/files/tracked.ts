/** What git tracks below a folder, for selections that take nothing else. */

import { join, relative } from "@std/path";
import { repositoryOf, trackedFiles } from "./git_index.ts";

/** The tracked files below a folder. */
export interface Tracked {
  /** Paths of the files, relative to the folder. */
  readonly files: ReadonlySet<string>;
  /** Paths of the folders that lead to them. */
  readonly folders: ReadonlySet<string>;
  /** Where git keeps its index, relative to the project: a change shows there. */
  readonly index: string;
}

/**
 * What git tracks below a folder; undefined where it is in no repository, or in one whose index
 * cannot be read here.
 *
 * @param root the folder, relative to the project.
 */
export function trackedBelow(projectRoot: string, root: string): Tracked | undefined {
  const folder = join(projectRoot, root).replace(/(?<=.)\/$/, "");
  const repository = repositoryOf(folder);
  const paths = repository && trackedFiles(repository)?.files;
  if (repository === undefined || paths === undefined) return undefined;
  const prefix = folder === repository.top ? "" : `${relative(repository.top, folder)}/`;
  const files = new Set<string>();
  const folders = new Set<string>();
  for (const path of paths) {
    if (!path.startsWith(prefix)) continue;
    const below = path.slice(prefix.length);
    files.add(below);
    let at = below.lastIndexOf("/");
    for (; at > 0 && !folders.has(below.slice(0, at)); at = below.lastIndexOf("/", at - 1)) {
      folders.add(below.slice(0, at));
    }
  }
  return { files, folders, index: relative(projectRoot, repository.folder) };
}
