/** What files of a repository say, read once while they are the same. */

import { type Repository, type TrackedFiles, trackedFiles } from "../../lib/files/git_index.ts";
import { readRegularText } from "../../lib/util/regular_file.ts";

/** Pattern and path → the file's stat, and whether it matches. */
const scanned = new Map<string, { readonly stamp: string; readonly found: boolean }>();

/** Path of an index → its stat, and what it says. */
const indexes = new Map<string, { readonly stamp: string; readonly tracked?: TrackedFiles }>();

/** Says whether a file's text matches a pattern; one that cannot be read does not. */
export function mentions(path: string, pattern: RegExp): boolean {
  const key = `${pattern} ${path}`;
  const stamp = stampOf(path);
  const known = scanned.get(key);
  if (known?.stamp === stamp) return known.found;
  const found = pattern.test(textOf(path));
  scanned.set(key, { stamp, found });
  return found;
}

/** What git tracks; undefined where it cannot be read here. */
export function trackedIn(repository: Repository): TrackedFiles | undefined {
  const path = `${repository.folder}/index`;
  const stamp = stampOf(path);
  const known = indexes.get(path);
  if (known?.stamp === stamp) return known.tracked;
  const tracked = trackedFiles(repository);
  indexes.set(path, { stamp, ...(tracked === undefined ? {} : { tracked }) });
  return tracked;
}

function stampOf(path: string): string {
  try {
    const { size, ino, mtime } = Deno.statSync(path);
    return `${size} ${ino} ${mtime?.getTime()}`;
  } catch {
    return "";
  }
}

function textOf(path: string): string {
  try {
    return readRegularText(path);
  } catch {
    return "";
  }
}
