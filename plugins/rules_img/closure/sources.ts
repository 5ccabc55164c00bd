/** From labels to the files on disk that a target is made from. */

import { type Label, parseLabel, pathOf } from "../bazel/label.ts";
import type { Queried } from "../bazel/query.ts";
import { type Closure, packagesOf } from "./closure.ts";
import { loadsOf } from "./loads.ts";
import { isBelow, isFile, isLink, readIfThere, realPath } from "./reading.ts";
import type { WorkspaceFiles } from "./workspace_files.ts";

/** Where a closure's files are. */
export interface Sources {
  /** Absolute paths of files, and of folders that are taken whole. */
  readonly files: ReadonlySet<string>;
  /** Absolute paths of the folders of packages whose files may be edited. */
  readonly packages: ReadonlySet<string>;
  /** Labels of the .bzl files that its BUILD files load. */
  readonly loaded: ReadonlySet<string>;
}

/** Names of BUILD files, the one that wins first. */
export const BUILD_FILES: readonly string[] = ["BUILD.bazel", "BUILD"];

/** Finds the files of closures in one workspace. */
export class SourceFinder {
  readonly #workspace: string;
  readonly #queried: Queried;
  readonly #top: WorkspaceFiles;
  /** Repository → its folder, where its files may be edited. */
  readonly #roots = new Map<string, string | undefined>();

  constructor(workspace: string, queried: Queried, top: WorkspaceFiles) {
    this.#workspace = workspace;
    this.#queried = queried;
    this.#top = top;
    for (const name of top.ownNames) this.#roots.set(name, workspace);
  }

  /** The files of a closure; those of repositories that are pinned elsewhere are left out. */
  find(closure: Closure): Sources {
    const files = new Set<string>();
    for (const text of closure.sources) {
      const label = parseLabel(text);
      const path = label && this.#pathOf(label, text);
      if (path !== undefined) addWithLinks(files, path, this.#workspace);
    }
    const packages = new Set<string>();
    const waiting: Label[] = [];
    for (const text of packagesOf(closure)) {
      const label = parseLabel(`${text}:BUILD`);
      const root = label && this.#rootOf(label, closure);
      if (label === undefined || root === undefined) continue;
      const folder = label.package === "" ? root : `${root}/${label.package}`;
      packages.add(folder);
      const name = BUILD_FILES.find((each) => isFile(`${folder}/${each}`));
      if (name !== undefined) waiting.push({ ...label, name });
    }
    const loaded = this.#follow(waiting, files);
    return { files, packages, loaded };
  }

  /** Adds these Starlark files and all they load. */
  #follow(waiting: readonly Label[], files: Set<string>): Set<string> {
    const seen = new Set<string>();
    const open = [...waiting];
    for (const label of open) {
      const root = this.#roots.get(label.repository);
      if (root === undefined) continue;
      const path = `${root}/${pathOf(label)}`;
      if (seen.has(path)) continue;
      seen.add(path);
      addWithLinks(files, path, this.#workspace);
      open.push(...loadsOf(readIfThere(path), label));
    }
    return seen;
  }

  #pathOf(label: Label, text: string): string | undefined {
    const root = this.#rootOf(label);
    if (root !== undefined) return `${root}/${pathOf(label)}`;
    // A repository may be made of links into the workspace.
    const folder = repositoryFolder(this.#queried, text);
    if (folder === undefined) return undefined;
    const real = realPath(`${folder}/${pathOf(label)}`);
    const isOurs = real !== undefined && isBelow(real, this.#workspace) &&
      !isBelow(real, realPath(folder) ?? folder);
    return isOurs ? real : undefined;
  }

  /** The folder of a repository whose files may be edited: our own, or a local one. */
  #rootOf(label: Label, closure?: Closure): string | undefined {
    const { repository } = label;
    if (this.#roots.has(repository)) return this.#roots.get(repository);
    const texts = closure === undefined ? this.#queried.keys() : closure.labels;
    for (const text of texts) {
      const other = parseLabel(text);
      if (other?.repository !== repository) continue;
      const folder = repositoryFolder(this.#queried, text);
      if (folder === undefined) continue;
      const real = realPath(folder);
      // A local repository is a link; what was fetched may lie in the workspace too.
      const isLocal = real !== undefined && isLink(folder) &&
        (isBelow(real, this.#workspace) || this.#top.localRepositories.has(real));
      this.#roots.set(repository, isLocal ? real : undefined);
      return isLocal ? real : undefined;
    }
    return undefined;
  }
}

/**
 * Where Bazel has put a repository, told by the place of one of its targets: a line of a BUILD file
 * or, since Bazel 6, the source file itself.
 */
export function repositoryFolder(queried: Queried, text: string): string | undefined {
  const label = parseLabel(text);
  const { location } = queried.get(text) ?? {};
  if (label === undefined || location === undefined) return undefined;
  const places = [label.name, ...BUILD_FILES].map((name) => `/${pathOf({ ...label, name })}`);
  const place = places.find((each) => location.endsWith(each));
  return place === undefined ? undefined : location.slice(0, -place.length);
}

/** Adds a file, and where links lead to it, each link and the file at their end. */
function addWithLinks(files: Set<string>, path: string, workspace: string): void {
  const real = realPath(path);
  if (real === undefined || real === path) {
    files.add(path);
    return;
  }
  files.add(real);
  for (let at = path.indexOf("/", workspace.length + 1);; at = path.indexOf("/", at + 1)) {
    const part = at < 0 ? path : path.slice(0, at);
    if (isLink(part)) {
      files.add(part);
      return;
    }
    if (at < 0) break;
  }
  files.add(path);
}
