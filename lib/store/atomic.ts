/** Files that are there whole or not at all. */

import { removeLeftovers, TemporaryFile } from "../util/temporary.ts";

const encoder = new TextEncoder();

/** Writes a file so that a reader, or a kill at any instant, sees the old one or the new one. */
export function writeAtomic(path: string, content: string | Uint8Array): void {
  using temporary = createBeside(path);
  temporary.write(typeof content === "string" ? encoder.encode(content) : content);
  temporary.moveTo(path);
}

/**
 * The same for content that comes bit by bit, in a folder that exists. What killed processes left in
 * that folder is removed.
 */
export async function replaceFile(
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  removeLeftovers(folderOf(path));
  using temporary = TemporaryFile.create(path);
  for await (const chunk of content) temporary.write(chunk);
  temporary.moveTo(path);
}

function createBeside(path: string): TemporaryFile {
  try {
    return TemporaryFile.create(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    Deno.mkdirSync(folderOf(path), { recursive: true });
    return TemporaryFile.create(path);
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Removes a file; one that is not there is no fault. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
