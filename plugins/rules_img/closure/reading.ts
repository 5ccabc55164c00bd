/** Looking at files that may not be there. */

import { readRegularText } from "../../../lib/util/regular_file.ts";

/** A file's text; empty where there is none. */
export function readIfThere(path: string): string {
  try {
    return readRegularText(path);
  } catch {
    // Where it matters, Bazel itself says what is wrong.
    return "";
  }
}

/** Says whether there is a file, or a link to one. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Says whether there is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Says whether there is a symbolic link. */
export function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}

/** What is in a folder; nothing where it has gone: Bazel says so where it matters. */
export function entriesOf(folder: string): Deno.DirEntry[] {
  return listed(folder) ?? [];
}

/** What is in a folder; undefined where it has gone, or is not to be read. */
export function listed(folder: string): Deno.DirEntry[] | undefined {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return undefined;
  }
}

/** Says whether a path is a folder's or below it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
