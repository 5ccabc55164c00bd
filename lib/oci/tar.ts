/** Writing tar: deterministic, streaming, in large chunks. */

import { Fault } from "../model/errors.ts";
import type { ExtendedAttribute, SpecialType } from "../model/image.ts";
import { ChunkBuffer, type ChunkOptions } from "./chunks.ts";
import { BLOCK, padded, tarHeader } from "./tar_header.ts";

/** One entry of an archive. Names are written as they are given. */
export interface TarEntry {
  /** Text as `path_text.ts` has it, or bytes. */
  readonly path: string | Uint8Array;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | SpecialType;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname?: string;
  readonly gname?: string;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Length of the content, in bytes; of bytes at hand it need not be given. */
  readonly size?: number;
  readonly linkTarget?: string | Uint8Array;
  /** Numbers of a device. */
  readonly device?: readonly [major: number, minor: number];
  /** Extended attributes. */
  readonly xattrs?: readonly ExtendedAttribute[];
  /** A file's content: bytes, a file on disk, or a stream. */
  readonly content?: Uint8Array | { readonly file: string } | TarStream;
}

/** Opens a stream of an entry's content. */
export type TarStream = () => AsyncIterable<Uint8Array>;

/**
 * Writes an archive: headers as in `tar_header.ts`, contents padded to blocks, two empty blocks at
 * the end.
 *
 * @throws {Fault} when a content's length is not its entry's size.
 */
export async function* writeTar(
  entries: Iterable<TarEntry> | AsyncIterable<TarEntry>,
  options: ChunkOptions = {},
): AsyncGenerator<Uint8Array> {
  const buffer = new ChunkBuffer(options);
  const writer = new EntryWriter(buffer);
  for await (const entry of entries) {
    if (typeof entry.content === "function") yield* writer.streamed(entry, entry.content);
    // `yield*` would wait for promises, even of an entry that fills no chunk.
    else for (const chunk of writer.whole(entry, entry.content)) yield chunk;
  }
  yield* buffer.addZeros(2 * BLOCK);
  yield* buffer.rest();
}

/** Adds entries to a buffer, which hands on the chunks that they fill. */
class EntryWriter {
  readonly #buffer: ChunkBuffer;
  readonly #block = new Uint8Array(BLOCK);

  constructor(buffer: ChunkBuffer) {
    this.#buffer = buffer;
  }

  /** An entry whose content need not be waited for. */
  *whole(
    entry: TarEntry,
    content: Exclude<TarEntry["content"], TarStream>,
  ): Generator<Uint8Array> {
    const size = sizeOf(entry);
    yield* this.#buffer.add(tarHeader(entry, size, this.#block));
    if (content instanceof Uint8Array) yield* this.#buffer.add(content);
    else if (content !== undefined) yield* this.#file(entry, size, content.file);
    yield* this.#buffer.addZeros(padded(size) - size);
  }

  /** An entry whose content comes by and by. */
  async *streamed(entry: TarEntry, open: TarStream): AsyncGenerator<Uint8Array> {
    const size = sizeOf(entry);
    yield* this.#buffer.add(tarHeader(entry, size, this.#block));
    let seen = 0;
    for await (const chunk of open()) {
      seen += chunk.length;
      if (seen > size) break;
      yield* this.#buffer.add(chunk);
    }
    if (seen !== size) throw wrongSize(entry, size);
    yield* this.#buffer.addZeros(padded(size) - size);
  }

  *#file(entry: TarEntry, size: number, file: string): Generator<Uint8Array> {
    const source = Deno.openSync(file);
    try {
      let left = size;
      for (;;) {
        // One byte more than there should be is asked for: a short answer is the end of the file.
        const space = this.#buffer.space(left + 1);
        const count = source.readSync(space) ?? 0;
        if (count > left || (count === 0 && left > 0)) throw wrongSize(entry, size);
        const full = this.#buffer.claim(count);
        if (full !== undefined) yield full;
        left -= count;
        if (left === 0 && count < space.length) break;
      }
    } finally {
      source.close();
    }
  }
}

function sizeOf(entry: TarEntry): number {
  if (entry.type !== "file") return 0;
  return entry.content instanceof Uint8Array ? entry.content.length : entry.size ?? 0;
}

function wrongSize(entry: TarEntry, size: number): Fault {
  const path = typeof entry.path === "string" ? entry.path : new TextDecoder().decode(entry.path);
  return new Fault(`The content of "${path}" is not the ${size} bytes it had before`, {
    next: "run the command again once nothing writes to the file",
  });
}
