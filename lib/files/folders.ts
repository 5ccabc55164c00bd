/** Folders as they are on disk and as they were when the index was written. Only stats are read. */

import { Fault } from "../model/errors.ts";
import type { Columns } from "./stored_folder.ts";

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

/** A folder's own stat: while it is the same, so are the names in the folder. */
export interface FolderStat {
  readonly mtime: number;
  readonly ctime: number;
  readonly inode: number;
  /** The folder was looked at long enough after the last change that a later one shows here. */
  readonly settled: boolean;
}

/** A folder as this run has seen it. */
export interface Folder {
  /** Its entries by name. */
  entries(): ReadonlyMap<string, Indexed>;
  /** The same, where this run has listed them. */
  readonly listed?: Map<string, Indexed>;
  /** All are just as the index says, and what it says can be trusted. */
  readonly same: boolean;
  /** Its own stat from before it was listed; undefined where nobody asked. */
  readonly own?: FolderStat;
}

/** A folder of the index; an entry's position is that in the order in which they were listed. */
export interface KnownFolder {
  /** How many entries it has. */
  readonly size: number;
  /** The names, each followed by `/`. */
  readonly joined: string;
  /** What is known of the folder's own stat can be trusted. */
  readonly isSettled: boolean;
  /** The name of an entry. */
  name(at: number): string | undefined;
  /** Says whether an entry is a folder. */
  isFolder(at: number): boolean;
  /** Says whether a stat is that of an entry, whose content is then as it was. */
  isSame(at: number, stat: Stat): boolean;
  /** Says whether this is the folder's stat, by which it still holds the names it held. */
  hasNamesOf(own: FolderStat): boolean;
  /** Keeps the stat under which the folder holds these names. */
  keep(own: FolderStat): void;
  /** The entries by name. */
  entries(): ReadonlyMap<string, Indexed>;
  /** Writes the folder's row and those of its entries, from a row of these columns on. */
  copyTo(columns: Columns, first: number): void;
}

/**
 * Deno cuts a file's times: changes within this many milliseconds of a reading may show no
 * difference, so what was read by then is read again.
 */
export const SETTLING = 2_000;

/**
 * Looks at a folder; what the index knows of unchanged entries is kept. A folder that is unchanged
 * itself is not listed: that takes three times as long as its stat.
 *
 * @param known the folder in the index, if it is there.
 * @returns undefined where there is no such folder.
 */
export function lookAt(path: string, known: KnownFolder | undefined): Folder | undefined {
  // Of a folder that is new the next run asks: its stat would rarely be settled by now.
  if (known === undefined) return list(path, new Map());
  const own = ownStat(path);
  if (own === undefined) return undefined;
  const sameNames = known.hasNamesOf(own) || hasSameNames(namesIn(path) ?? [], known);
  if (sameNames && hasSameStats(path, known)) {
    return { entries: () => known.entries(), same: true, own };
  }
  return list(path, known.entries(), own);
}

function list(
  path: string,
  before: ReadonlyMap<string, Indexed>,
  own?: FolderStat,
): Folder | undefined {
  const listed = namesIn(path);
  if (listed === undefined) return undefined;
  const entries = new Map<string, Indexed>();
  for (const { name, isDirectory } of listed) {
    const old = before.get(name);
    const now = isDirectory ? folderEntry(name) : entryOf(name, path);
    if (now === undefined) continue;
    entries.set(name, old !== undefined && isSame(old, now) ? old : now);
  }
  const ofItself = own === undefined ? {} : { own };
  return { entries: () => entries, listed: entries, same: false, ...ofItself };
}

function ownStat(path: string): FolderStat | undefined {
  const now = Date.now();
  try {
    const info = Deno.statSync(path);
    const [mtime, ctime] = [info.mtime?.getTime() ?? now, info.ctime?.getTime() ?? now];
    const settled = Math.max(mtime, ctime) < now - SETTLING;
    return { mtime, ctime, inode: info.ino ?? 0, settled };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
}

/** Folders are listed in the same order while nothing in them is added or removed. */
function hasSameNames(listed: readonly Deno.DirEntry[], known: KnownFolder): boolean {
  return listed.length === known.size &&
    listed.every(({ name, isDirectory }, at) =>
      name === known.name(at) && isDirectory === known.isFolder(at)
    );
}

function hasSameStats(path: string, known: KnownFolder): boolean {
  for (let at = 0; at < known.size; at++) {
    if (known.isFolder(at)) continue;
    const now = entryOf(known.name(at)!, path);
    if (now === undefined || !known.isSame(at, now)) return false;
  }
  return true;
}

/** Of a folder only the name counts: what is in it is looked at by itself. */
function folderEntry(name: string): Indexed {
  return {
    name,
    type: "directory",
    executable: false,
    size: 0,
    mtime: 0,
    ctime: 0,
    inode: 0,
    settled: false,
  };
}

/** What is at a name in a folder now; undefined where it has just gone. */
function entryOf(name: string, folder: string): Indexed | undefined {
  const path = `${folder}/${name}`;
  try {
    const info = Deno.lstatSync(path);
    const type = info.isFile
      ? "file"
      : info.isSymlink
      ? "symlink"
      : info.isDirectory
      ? "directory"
      : "other";
    if (type === "directory") return folderEntry(name);
    return {
      name,
      type,
      executable: type === "file" && ((info.mode ?? 0) & 0o100) !== 0,
      size: type === "file" ? info.size : 0,
      mtime: info.mtime?.getTime() ?? 0,
      ctime: info.ctime?.getTime() ?? 0,
      inode: info.ino ?? 0,
      settled: false,
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
export function isSame(a: Stat, b: Stat): boolean {
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

function namesIn(path: string): Deno.DirEntry[] | undefined {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
}

/** Says whether an error tells that there is no such folder. */
function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault(`Cannot read it: ${(cause as Error).message}`, {
    where: path,
    next: "make it readable, or leave it out of the inputs",
    cause,
  });
}
