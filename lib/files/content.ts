/** Reading what an entry holds. This imports node:crypto: only for entries that changed. */

import { createHash } from "node:crypto";
import { Fault } from "../model/errors.ts";
import type { Rows } from "./rows.ts";

const BUFFER = new Uint8Array(1024 * 1024);

/**
 * A file's sha256 (64 hex digits) or a link's target; the row of a file that nobody has looked at
 * gets its stat.
 *
 * @returns undefined where it has just gone.
 */
export function readContent(path: string, rows: Rows, row: number): string | undefined {
  try {
    return rows.type(row) === "symlink" ? Deno.readLinkSync(path) : hashFile(path, rows, row);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.InvalidData) {
      throw new Fault("What this link leads to is not UTF-8", {
        where: path,
        next: "make the link again with another target, or leave it out of the inputs",
        cause: error,
      });
    }
    throw new Fault(`Cannot read it: ${(error as Error).message}`, {
      where: path,
      next: "make it readable, or leave it out of the inputs",
      cause: error,
    });
  }
}

/**
 * A read that gives just what there should be needs no other one to see the end. `using` would make
 * an object more for each file, which takes a tenth of all this.
 */
function hashFile(path: string, rows: Rows, row: number): string {
  const hash = createHash("sha256");
  const file = Deno.openSync(path);
  try {
    if (rows.isUnseen(row)) rows.setStat(row, file.statSync());
    for (let rest = rows.size(row);;) {
      const count = file.readSync(BUFFER);
      if (count === null) break;
      hash.update(BUFFER.subarray(0, count));
      rest -= count;
      if (rest === 0) break;
    }
  } finally {
    file.close();
  }
  return hash.digest("hex");
}
