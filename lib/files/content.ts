/** Reading what an entry holds. This imports node:crypto: only for entries that changed. */

import { hexOf } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import { Sha256 } from "../oci/sha256.ts";
import { type Indexed, isSame, SETTLING, statOf } from "./folders.ts";

const BUFFER = new Uint8Array(1024 * 1024);

/** How often a file that changes while it is read is read again. */
const TRIES = 3;

/**
 * Fills in an entry's content: a file's digest or a link's target.
 *
 * @returns undefined where it has just gone.
 */
export function withContent(path: string, folder: string, entry: Indexed): Indexed | undefined {
  let current = entry;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const begun = Date.now();
    const content = read(path, current);
    const after = statOf(path, folder);
    if (content === undefined || after === undefined) return undefined;
    if (isSame(current, after)) {
      const settled = Math.max(after.mtime, after.ctime) < begun - SETTLING;
      return { ...after, name: entry.name, content, settled };
    }
    current = { ...after, name: entry.name, settled: false };
  }
  throw new Fault("It changes faster than it can be read", {
    where: path,
    next: "stop what writes to it, or leave it out of the inputs",
  });
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

/** Reads as many bytes as the stats say; that there are more is told by the stats afterwards. */
function hashFile(path: string, size: number): string {
  const hash = new Sha256();
  using file = Deno.openSync(path);
  for (let left = size; left > 0;) {
    const count = file.readSync(BUFFER.subarray(0, Math.min(left, BUFFER.length)));
    if (count === null) break;
    hash.update(BUFFER.subarray(0, count));
    left -= count;
  }
  return hexOf(hash.digest());
}
