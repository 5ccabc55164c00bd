/** The files git tracks, read from its index without starting git. */

import { type IndexEntry, mergeSplitIndex, parseIndexFile } from "./git_index_format.ts";
import { readRegularFile, readRegularText } from "../util/regular_file.ts";

/** A repository as its files show it. */
export interface Repository {
  /** Absolute path of the top folder of its work tree. */
  readonly top: string;
  /** Absolute path of its own git folder: where index and HEAD are. */
  readonly folder: string;
}

/** What an index says. */
export interface TrackedFiles {
  /** Paths of the files, below the top folder. */
  readonly files: readonly string[];
  /** Paths of the submodules, below the top folder. */
  readonly submodules: readonly string[];
  /**
   * Paths of the folders, without a slash at the end, that a sparse index has as one entry each: git
   * tracks what their tree in the commit holds, and usually none of it is in the work tree.
   */
  readonly folders: readonly string[];
  /**
   * Git is told not to look at some of the files, as in a sparse checkout: whatever the work tree
   * holds in their place is no change to it.
   */
  readonly unwatched: boolean;
}

/** The repository a folder is in, if it is in one. */
export function repositoryOf(folder: string): Repository | undefined {
  for (let top = folder;; top = top.slice(0, top.lastIndexOf("/")) || "/") {
    const own = gitFolder(top);
    if (own !== undefined) return { top, folder: own };
    if (top === "/") return undefined;
  }
}

/**
 * What git tracks: nothing where there is no index; undefined where it is damaged or of a kind not
 * read here.
 */
export function trackedFiles(repository: Repository): TrackedFiles | undefined {
  const config = readIfThere(`${commonFolder(repository.folder)}/config`) ?? "";
  const hashLength = /^\s*objectformat\s*=\s*sha256/im.test(config) ? 32 : 20;
  const read = (name: string) => readRegularFile(`${repository.folder}/${name}`);
  let index: Uint8Array;
  try {
    index = read("index");
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? trackedBy([]) : undefined;
  }
  try {
    return parseIndex(index, hashLength, (base) => read(`sharedindex.${base}`));
  } catch {
    return undefined;
  }
}

/** The files that say which commit is checked out, absolute. */
export function headFiles(repository: Repository): readonly string[] {
  const head = readIfThere(`${repository.folder}/HEAD`) ?? "";
  const ref = /^ref: (.+)$/m.exec(head)?.[1];
  const common = commonFolder(repository.folder);
  return [
    `${repository.folder}/HEAD`,
    ...(ref === undefined
      ? []
      : [`${common}/${ref}`, `${common}/packed-refs`, `${common}/reftable/tables.list`]),
  ];
}

/** The commit that is checked out; undefined where there is none, or it cannot be read here. */
export function headCommit(repository: Repository): string | undefined {
  const head = readIfThere(`${repository.folder}/HEAD`)?.trim() ?? "";
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  if (ref === undefined) return asCommit(head);
  const common = commonFolder(repository.folder);
  const loose = asCommit(readIfThere(`${common}/${ref}`)?.trim() ?? "");
  if (loose !== undefined) return loose;
  const packed = readIfThere(`${common}/packed-refs`)?.split("\n") ?? [];
  return asCommit(packed.find((line) => line.endsWith(` ${ref}`))?.split(" ", 1)[0] ?? "");
}

function asCommit(text: string): string | undefined {
  return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(text) ? text : undefined;
}

/** The files with a repository's own settings, absolute; the second is there for a few work trees. */
export function configFiles({ folder }: Repository): readonly string[] {
  return [`${commonFolder(folder)}/config`, `${folder}/config.worktree`];
}

/** The file beside the work tree that gives files attributes, absolute. */
export function attributesFile(repository: Repository): string {
  return `${commonFolder(repository.folder)}/info/attributes`;
}

/**
 * What an index says, in versions 2, 3 and 4, whole, split or sparse.
 *
 * @param hashLength bytes of an object's name: 20 of SHA-1, 32 of SHA-256.
 * @param readShared reads the shared index of a split one, by the hex digits in its name.
 * @returns undefined for what is no index, or one that cannot be read here.
 * @throws {Error} when it is cut short, or its shared index is not there.
 */
function parseIndex(
  bytes: Uint8Array,
  hashLength: number,
  readShared: (base: string) => Uint8Array,
): TrackedFiles | undefined {
  const index = parseIndexFile(bytes, hashLength);
  if (index === undefined) return undefined;
  const { entries, link } = index;
  if (link === undefined) return trackedBy(entries);
  const base = parseIndexFile(readShared(link.base), hashLength);
  return base && trackedBy(mergeSplitIndex(entries, link, base.entries));
}

function trackedBy(entries: readonly IndexEntry[]): TrackedFiles {
  const pathsOf = (wanted: IndexEntry["kind"]) =>
    entries.flatMap(({ kind, path }) => kind === wanted ? [path] : []);
  return {
    files: pathsOf("file"),
    submodules: pathsOf("submodule"),
    folders: pathsOf("folder").map((path) => path.replace(/\/$/, "")),
    unwatched: entries.some(({ unwatched }) => unwatched),
  };
}

/** `.git`, or the folder that a `.git` file of a worktree or submodule names. */
function gitFolder(top: string): string | undefined {
  const path = `${top === "/" ? "" : top}/.git`;
  try {
    if (Deno.statSync(path).isDirectory) return path;
  } catch {
    return undefined;
  }
  const named = /^gitdir: (.+)$/m.exec(readIfThere(path) ?? "")?.[1];
  if (named === undefined) return undefined;
  return named.startsWith("/") ? named : `${top}/${named}`;
}

/** Where a worktree's branches are: in the repository it belongs to. */
function commonFolder(folder: string): string {
  const named = readIfThere(`${folder}/commondir`)?.trim();
  if (named === undefined) return folder;
  return named.startsWith("/") ? named : `${folder}/${named}`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readRegularText(path);
  } catch {
    return undefined;
  }
}
