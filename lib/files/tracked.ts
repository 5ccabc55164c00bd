/** What git tracks below a folder, for selections that take nothing else. */

import { join, relative } from "@std/path";
import { repositoryOf, type TrackedFiles, trackedFiles } from "./git_index.ts";

/** The tracked files below a folder. All paths are relative to it. */
export class Tracked {
  /** Where git keeps its index, relative to the project: a change shows there. */
  readonly index: string;
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  /** Folders of which all counts: a sparse index does not say what is in them. */
  readonly #whole = new Set<string>();
  #isWhole: boolean;

  /**
   * @param tracked what git tracks; where that cannot be read all counts.
   * @param prefix path of the folder below the top of the work tree, with a slash at its end.
   */
  constructor(index: string, tracked: TrackedFiles | undefined, prefix: string) {
    this.index = index;
    this.#isWhole = tracked === undefined;
    if (tracked === undefined) return;
    for (const path of tracked.files) {
      if (path.startsWith(prefix)) this.#add(this.#files, path.slice(prefix.length));
    }
    for (const path of tracked.folders) {
      if (`${path}/`.startsWith(prefix) && `${path}/` !== prefix) {
        this.#add(this.#whole, path.slice(prefix.length));
      } else this.#isWhole ||= prefix.startsWith(`${path}/`);
    }
  }

  #add(paths: Set<string>, path: string): void {
    paths.add(path);
    let at = path.lastIndexOf("/");
    for (; at > 0 && !this.#folders.has(path.slice(0, at)); at = path.lastIndexOf("/", at - 1)) {
      this.#folders.add(path.slice(0, at));
    }
  }

  /** Whether git tracks the file or link of this path. */
  hasFile(path: string): boolean {
    return this.#files.has(path) || this.#isInWhole(path);
  }

  /** Whether git tracks anything below the folder of this path, be it there or not. */
  hasFolder(path: string): boolean {
    return this.#folders.has(path) || this.#isInWhole(path);
  }

  #isInWhole(path: string): boolean {
    if (this.#isWhole) return true;
    if (this.#whole.size === 0) return false;
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (this.#whole.has(path.slice(0, end))) return true;
    }
    return false;
  }
}

/**
 * What git tracks below a folder; undefined where it is in no repository.
 *
 * @param root the folder, relative to the project.
 */
export function trackedBelow(projectRoot: string, root: string): Tracked | undefined {
  const folder = join(projectRoot, root).replace(/(?<=.)\/$/, "");
  const repository = repositoryOf(folder);
  if (repository === undefined) return undefined;
  const prefix = folder === repository.top ? "" : `${relative(repository.top, folder)}/`;
  const index = relative(projectRoot, repository.folder);
  return new Tracked(index, trackedFiles(repository), prefix);
}
