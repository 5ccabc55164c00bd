/**
 * Writing every byte, or failing. Of what a file's own `writable` is given, Deno 2.9 holds back up to
 * 64 KiB, and loses them without an error where they find no room on the disk.
 */

/** Writes all of a chunk. */
export function writeAll(file: Pick<Deno.FsFile, "writeSync">, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
}

/** Writes a file as its content comes. */
export async function writeContent(
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: Omit<Deno.OpenOptions, "write" | "append">,
): Promise<void> {
  using file = await Deno.open(path, { ...options, write: true });
  for await (const chunk of content) writeAll(file, chunk);
}
