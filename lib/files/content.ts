/** Reading what an entry holds. This imports node:crypto: only for entries that changed. */

import { createHash } from "node:crypto";
import { Fault } from "../model/errors.ts";
import { type Indexed, SETTLING } from "./folders.ts";

const BUFFER = new Uint8Array(1024 * 1024);

/**
 * Fills in an entry's content: a file's digest or a link's target. Where it has changed since it was
 * looked at, its stat is another by now, and the next look reads it again.
 *
 * @returns undefined where it has just gone.
 */
export function withContent(path: string, entry: Indexed): Indexed | undefined {
  const settled = Math.max(entry.mtime, entry.ctime) < Date.now() - SETTLING;
  const content = read(path, entry);
  if (content === undefined) return undefined;
  // Spelt out, as this is done for each new file.
  const { name, type, executable, size, mtime, ctime, inode } = entry;
  return { name, type, executable, size, mtime, ctime, inode, settled, content };
}

function read(path: string, entry: Indexed): string | undefined {
  try {
    return entry.type === "symlink" ? Deno.readLinkSync(path) : hashFile(path, entry.size);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.InvalidData) {
      return undefined;
    }
    throw new Fault(`Cannot read it: ${(error as Error).message}`, {
      where: path,
      next: "make it readable, or leave it out of the inputs",
      cause: error,
    });
  }
}

/** A read that gives just what there should be needs no other one to see the end. */
function hashFile(path: string, size: number): string {
  const hash = createHash("sha256");
  using file = Deno.openSync(path);
  for (let rest = size;;) {
    const count = file.readSync(BUFFER);
    if (count === null) break;
    hash.update(BUFFER.subarray(0, count));
    rest -= count;
    if (rest === 0) break;
  }
  return hash.digest("hex");
}
