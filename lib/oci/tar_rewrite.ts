/**
 * Rewriting an archive that another tool wrote, so that nothing in it comes from the clock or from
 * the machine: times are cut off at a limit, names of owners go, everything else (modes, numbers of
 * owners, extended attributes, devices, whiteouts, the order) stays as it is.
 */

import { BlockReader } from "./block_reader.ts";
import { ChunkBuffer, type ChunkOptions } from "./chunks.ts";
import { decodePath } from "./path_text.ts";
import { damaged, EXTENSION_LIMIT } from "./tar_extension.ts";
import {
  type Header,
  isEnd,
  PAX_TYPE,
  readHeader,
  readPaxRecords,
  rewriteHeader,
  rewritePax,
} from "./tar_fields.ts";
import { BLOCK, padded } from "./tar_header.ts";

/** What is known of an entry before its content. */
export interface TarHead {
  /** As it is written in the archive. */
  readonly path: string;
  /** The header's type flag, e.g. `0` for a file, `5` for a folder. */
  readonly type: string;
  /** Permission bits. */
  readonly mode: number;
  /** Bytes of content that follow. */
  readonly size: number;
}

/** How an archive is rewritten. */
export interface RewriteOptions extends ChunkOptions {
  /** No time is later than this, in seconds since 1970. */
  readonly notAfter: number;
  /** Says which entries are left out. */
  readonly leaveOut?: (head: TarHead) => boolean;
}

/** GNU's entries for a long name and a long link target, which the next entry takes. */
const GNU_LONG_NAME = "L";
const GNU_LONG_LINK = "K";

/** A file with holes, of which the size in the header is not the size of what follows. */
const GNU_SPARSE = "S";

/**
 * Rewrites an archive on its way.
 *
 * @throws {Fault} when it is damaged or cut off.
 */
export async function* rewriteTar(
  source: AsyncIterable<Uint8Array>,
  options: RewriteOptions,
): AsyncGenerator<Uint8Array> {
  const input = new BlockReader(source);
  const buffer = new ChunkBuffer(options);
  let extension = new Extension();
  for (;;) {
    const block = await input.take(BLOCK);
    if (block === undefined || isEnd(block)) break;
    const header = readHeader(block);
    if (
      header.type === PAX_TYPE || header.type === GNU_LONG_NAME || header.type === GNU_LONG_LINK
    ) {
      if (header.size > EXTENSION_LIMIT) throw damaged("a header has no end");
      const data = await input.take(padded(header.size));
      if (data === undefined) throw damaged("it ends in a header");
      extension.add(header, data);
      continue;
    }
    const head = extension.headOf(header);
    const kept = options.leaveOut?.(head) !== true;
    if (kept) {
      const time = Math.min(
        Math.max(0, Math.floor(extension.mtime ?? header.mtime)),
        options.notAfter,
      );
      yield* extension.written(buffer);
      yield* buffer.add(rewriteHeader(header, time));
    }
    for (let left = padded(head.size); left > 0;) {
      const chunk = await input.some(left);
      if (chunk === undefined) {
        if (left > padded(head.size) - head.size) throw damaged("it ends in a file");
        // Only the last file's padding was left out, as umoci does.
        if (kept) yield* buffer.addZeros(left);
        break;
      }
      left -= chunk.length;
      if (kept) yield* buffer.add(chunk);
    }
    extension = new Extension();
  }
  await input.drain();
  yield* buffer.addZeros(2 * BLOCK);
  yield* buffer.rest();
}

/** What stands in front of an entry for values that do not fit its header. */
class Extension {
  readonly #long: Uint8Array[] = [];
  #pax: { header: Header; records: Map<string, Uint8Array> } | undefined;
  #longName: string | undefined;

  add(header: Header, data: Uint8Array): void {
    const content = data.subarray(0, header.size);
    if (header.type === PAX_TYPE) {
      this.#pax = { header, records: new Map(readPaxRecords(content)) };
      return;
    }
    this.#long.push(rewriteHeader(header, 0), data);
    if (header.type === GNU_LONG_NAME) this.#longName = decodePath(content).replace(/\0+$/, "");
  }

  /** Seconds since 1970, with a fraction, where a record says so. */
  get mtime(): number | undefined {
    return this.#number("mtime");
  }

  headOf(header: Header): TarHead {
    const path = this.#longName ?? this.#record("path") ?? header.path;
    const isSparse = header.type === GNU_SPARSE ||
      [...this.#pax?.records.keys() ?? []].some((key) => key.startsWith("GNU.sparse."));
    if (isSparse) throw damaged(`${path} is a sparse file, which no layer holds`);
    // Links and devices have no content, whatever their headers say.
    const size = /[1-6]/.test(header.type) ? 0 : this.#number("size") ?? header.size;
    return { path, type: header.type, mode: header.mode, size };
  }

  /** The extension's blocks as they are written again. */
  *written(buffer: ChunkBuffer): Generator<Uint8Array> {
    for (const block of this.#long) yield* buffer.add(block);
    if (this.#pax !== undefined) yield* buffer.add(rewritePax(this.#pax.header, this.#pax.records));
  }

  #number(name: string): number | undefined {
    const written = this.#record(name);
    if (written === undefined) return undefined;
    const value = Number(written);
    if (written === "" || Number.isNaN(value)) throw damaged(`its ${name} is "${written}"`);
    return value;
  }

  #record(name: string): string | undefined {
    const value = this.#pax?.records.get(name);
    return value === undefined ? undefined : decodePath(value);
  }
}
