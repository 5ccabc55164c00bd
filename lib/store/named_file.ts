/** Files at paths that people name: a path may lead to something that is not ours to replace. */

import { Fault, usageFault } from "../model/errors.ts";
import { replaceFile } from "./atomic.ts";
import { writeAll, writeContent } from "../util/write_all.ts";

/** Opened by its path, a file that output is appended to would be written from its beginning. */
const STANDARD: Readonly<Record<string, typeof Deno.stdout>> = {
  "/dev/stdout": Deno.stdout,
  "/dev/fd/1": Deno.stdout,
  "/proc/self/fd/1": Deno.stdout,
  "/dev/stderr": Deno.stderr,
  "/dev/fd/2": Deno.stderr,
  "/proc/self/fd/2": Deno.stderr,
};

/**
 * Writes to a path that somebody named. A file is there whole or not at all, a link stays and what it
 * leads to is written, and a pipe or another device is written to as it is.
 *
 * @throws {Fault} when it is a folder, or is in none.
 */
export async function writeNamed(
  named: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const standard = STANDARD[named];
  if (standard !== undefined) {
    for await (const chunk of content) writeAll(standard, chunk);
    return;
  }
  const { path, isReplaced } = await targetOf(named);
  try {
    if (isReplaced) await replaceFile(path, content);
    else await writeContent(path, content, { create: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Fault("Cannot write there: the folder does not exist", {
        where: path,
        next: "create the folder first",
        cause: error,
      });
    }
    throw error;
  }
}

/** What is written, behind all links, and whether a new file takes its place. */
async function targetOf(path: string): Promise<{ path: string; isReplaced: boolean }> {
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    if (isDirectory) {
      throw usageFault("Cannot write there: it is a folder", {
        where: path,
        next: "name a file in it",
      });
    }
    return isFile
      ? { path: await Deno.realPath(path), isReplaced: true }
      : { path, isReplaced: false };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // A link to nothing yet: writing makes what it names.
    return { path, isReplaced: !await isLink(path) };
  }
}

async function isLink(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(({ isSymlink }) => isSymlink, () => false);
}
