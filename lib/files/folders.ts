/** Folders as they are on disk and as they were when the index was written. Only stats are read. */

import { Fault } from "../model/errors.ts";
import type { StoredFolder } from "./stored_folder.ts";

/** What a stat says of one entry. Times are milliseconds since 1970. */
export interface Stat {
  readonly type: "file" | "directory" | "symlink" | "other";
  readonly executable: boolean;
  readonly size: number;
  readonly mtime: number;
  readonly ctime: number;
  readonly inode: number;
}

/** An entry of the index. */
export interface Indexed extends Stat {
  readonly name: string;
  /** sha256 of a file (64 hex digits), or a link's target; undefined where nobody asked yet. */
  readonly content?: string;
  /** The content was read long enough after the last change that a later one shows in the stat. */
  readonly settled: boolean;
}

/** A folder as this run has seen it. */
export interface Folder {
  /** Its entries by name. */
  entries(): ReadonlyMap<string, Indexed>;
  /** All are just as the index says, and what it says can be trusted. */
  readonly same: boolean;
}

/**
 * Deno cuts a file's times: changes within this many milliseconds of a reading may show no
 * difference, so what was read by then is read again.
 */
export const SETTLING = 2_000;

/**
 * Looks at a folder; what the index knows of unchanged entries is kept.
 *
 * @param known the folder in the index, if it is there.
 * @returns undefined where there is no such folder.
 */
export function lookAt(path: string, known: StoredFolder | undefined): Folder | undefined {
  const listed = list(path);
  if (listed === undefined) return undefined;
  if (known !== undefined && isUnchanged(path, listed, known)) {
    return { entries: () => known.entries(), same: true };
  }
  const before = known?.entries();
  const entries = new Map<string, Indexed>();
  for (const entry of listed) {
    const old = before?.get(entry.name);
    const now = statOfListed(path, entry);
    if (now === undefined) continue;
    const unchanged = old !== undefined && isSame(old, now);
    entries.set(entry.name, unchanged ? old : unread(entry.name, now));
  }
  return { entries: () => entries, same: false };
}

/** An entry whose content nobody asked for yet; spelt out, as this is done for each new file. */
function unread(name: string, { type, executable, size, mtime, ctime, inode }: Stat): Indexed {
  return { name, type, executable, size, mtime, ctime, inode, settled: false };
}

/** Folders are listed in the same order while nothing in them is added or removed. */
function isUnchanged(path: string, listed: readonly Deno.DirEntry[], known: StoredFolder): boolean {
  if (listed.length !== known.size) return false;
  return listed.every((entry, at) => {
    if (entry.name !== known.name(at)) return false;
    const now = statOfListed(path, entry);
    return now !== undefined && known.isSame(at, now);
  });
}

function statOfListed(path: string, entry: Deno.DirEntry): Stat | undefined {
  return entry.isDirectory ? FOLDER_STAT : statOf(`${path}/${entry.name}`, path);
}

/** Of a folder only the name counts: what is in it is looked at by itself. */
const FOLDER_STAT: Stat = {
  type: "directory",
  executable: false,
  size: 0,
  mtime: 0,
  ctime: 0,
  inode: 0,
};

/** The stat of a path now; undefined where it has just gone. */
function statOf(path: string, folder: string): Stat | undefined {
  try {
    const info = Deno.lstatSync(path);
    const type = info.isFile
      ? "file"
      : info.isSymlink
      ? "symlink"
      : info.isDirectory
      ? "directory"
      : "other";
    if (type === "directory") return FOLDER_STAT;
    return {
      type,
      executable: type === "file" && ((info.mode ?? 0) & 0o100) !== 0,
      size: type === "file" ? info.size : 0,
      mtime: info.mtime?.getTime() ?? 0,
      ctime: info.ctime?.getTime() ?? 0,
      inode: info.ino ?? 0,
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unreadable(path, error);
    if (!path.includes("\uFFFD")) return undefined;
    throw new Fault("A file's name here is not UTF-8", {
      where: folder,
      next: "rename the file, or leave its folder out",
      cause: error,
    });
  }
}

/** Says whether two stats are of the same content, as far as stats can tell. */
function isSame(a: Stat, b: Stat): boolean {
  return a.mtime === b.mtime && a.size === b.size && a.ctime === b.ctime && a.inode === b.inode &&
    a.type === b.type && a.executable === b.executable;
}

/** Says whether a folder's entries are those of before, with no other content where one was known. */
export function holdsAll(
  before: ReadonlyMap<string, Indexed>,
  now: ReadonlyMap<string, Indexed>,
): boolean {
  if (before.size !== now.size) return false;
  for (const [name, old] of before) {
    const entry = now.get(name);
    if (entry === undefined || !isSame(old, entry)) return false;
    if (old.content !== undefined && old.content !== entry.content) return false;
  }
  return true;
}

function list(path: string): Deno.DirEntry[] | undefined {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault(`Cannot read it: ${(cause as Error).message}`, {
    where: path,
    next: "make it readable, or leave it out of the inputs",
    cause,
  });
}
