/** Looking at folders on disk, beside what the index knows of them. Only stats are read. */

import { Fault } from "../model/errors.ts";
import { Folder } from "./folder.ts";
import { type FolderStat, folderStat, Rows } from "./rows.ts";

/** A folder as this run has seen it. */
export interface Look {
  readonly folder: Folder;
  /** It is just as the index says, and what that says can be trusted. */
  readonly same: boolean;
  /** It holds other entries than the index says, or some with another stat. */
  readonly differs: boolean;
  /** Some of its files have not been looked at: {@link lookAtRest} does. */
  readonly partial: boolean;
  /** Its own stat from before it was listed; undefined where nobody asked. */
  readonly own?: FolderStat;
}

/** What Deno lists in the place of bytes that are not UTF-8. */
const REPLACEMENT = "\uFFFD";

/** Rows of a block that several folders share. */
const BLOCK = 4096;

/** Where the rows go of folders that are not as the index says. */
export class Listings {
  #rows = new Rows(0);

  /** Rows with room for so many more. */
  withRoom(count: number): Rows {
    if (this.#rows.room < count) this.#rows = new Rows(Math.max(count, BLOCK));
    return this.#rows;
  }
}

/**
 * Looks at a folder; what the index knows of unchanged entries is kept. A folder that is unchanged
 * itself is not listed: that takes three times as long as its stat.
 *
 * @param known the folder in the index, if it is there.
 * @returns undefined where there is no such folder.
 */
export function lookAt(
  path: string,
  known: Folder | undefined,
  listings: Listings,
): Look | undefined {
  // Of a folder that is new the next run asks: its stat would rarely be settled by now.
  if (known === undefined) return list(path, undefined, listings);
  const own = ownStat(path);
  if (own === undefined) return undefined;
  const sameNames = known.hasNamesOf(own) || hasSameNames(path, known);
  if (sameNames && hasSameStats(path, known)) {
    return { folder: known, same: true, differs: false, partial: false, own };
  }
  return list(path, known, listings, own);
}

/** Looks at what {@link lookAt} did not, and nobody has read. */
export function lookAtRest(path: string, folder: Folder): void {
  const { names, rows } = folder;
  for (const [at, name] of names.entries()) {
    const row = folder.row(at);
    const info = rows.isUnseen(row) ? statOf(name, path) : undefined;
    if (info !== undefined) rows.setStat(row, info);
  }
}

function list(
  path: string,
  known: Folder | undefined,
  listings: Listings,
  own?: FolderStat,
): Look | undefined {
  const listed = namesIn(path);
  if (listed === undefined) return undefined;
  const rows = listings.withRoom(1 + listed.length);
  const first = rows.count;
  rows.setOwn(first, own);
  const names: string[] = [];
  let differs = known?.size !== listed.length;
  let partial = false;
  for (const { name, isDirectory, isFile } of listed) {
    const row = first + 1 + names.length;
    if (isNameless(name, path)) rows.setNameless(row);
    else if (isDirectory) rows.setFolder(row);
    else if (isFile && known === undefined) {
      // It is likely to be read soon, and an open file tells its stat at half the price.
      rows.setUnseen(row);
      partial = true;
    } else {
      const info = statOf(name, path);
      if (info === undefined) continue;
      rows.setStat(row, info);
    }
    names.push(name);
    if (known === undefined) continue;
    const at = known.position(name);
    if (at === undefined || !rows.inherit(row, known.rows, known.row(at))) differs = true;
  }
  rows.count = first + 1 + names.length;
  const folder = Folder.listed(rows, first, names);
  return { folder, same: false, differs, partial, ...(own === undefined ? {} : { own }) };
}

function ownStat(path: string): FolderStat | undefined {
  try {
    return folderStat(Deno.statSync(path));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
}

/** Folders are listed in the same order while nothing in them is added or removed. */
function hasSameNames(path: string, known: Folder): boolean {
  const { names, rows } = known;
  const listed = namesIn(path) ?? [];
  return listed.length === names.length &&
    listed.every(({ name, isDirectory }, at) =>
      name === names[at] &&
      (rows.isNameless(known.row(at)) ? isNameless(name, path) : isDirectory === known.isFolder(at))
    );
}

function hasSameStats(path: string, known: Folder): boolean {
  const { names, rows } = known;
  for (let at = 0; at < names.length; at++) {
    if (known.isFolder(at) || rows.isNameless(known.row(at))) continue;
    const now = statOf(names[at]!, path);
    if (now === undefined || !rows.isStat(known.row(at), now)) return false;
  }
  return true;
}

/** Says whether a name that was listed is none by which the entry can be reached: it is not UTF-8. */
function isNameless(name: string, folder: string): boolean {
  return name.includes(REPLACEMENT) && statOf(name, folder) === undefined;
}

/** The stat of a name in a folder; undefined where it has just gone. */
function statOf(name: string, folder: string): Deno.FileInfo | undefined {
  const path = `${folder}/${name}`;
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unreadable(path, error);
  }
}

function namesIn(path: string): Deno.DirEntry[] | undefined {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
}

/** Says whether an error tells that there is no such folder, as behind a link that leads nowhere. */
function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop;
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault(`Cannot read it: ${(cause as Error).message}`, {
    where: path,
    next: "make it readable, or leave it out of the inputs",
    cause,
  });
}
