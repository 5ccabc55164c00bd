/**
 * What stands in front of a tar entry for values that do not fit its header: PAX records, for one
 * entry or for all that follow, and GNU's long names.
 */

import { Fault } from "../model/errors.ts";
import type { BlockReader } from "./block_reader.ts";
import { decodePath } from "./path_text.ts";
import { type Header, isEnd, PAX_TYPE, readHeader, readPaxRecords } from "./tar_fields.ts";
import { BLOCK, padded } from "./tar_header.ts";

/** Solaris' flag for PAX records. */
const SOLARIS_PAX = "X";
const GLOBAL_PAX = "g";
const LONG_NAME = "L";
const LONG_LINK = "K";

/** The largest header extension that is held in memory, in bytes; as in Go. */
export const EXTENSION_LIMIT: number = 1024 * 1024;

/** Values for one entry. */
export interface Extension {
  /** PAX records, the last of each key; an empty one stands for none. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** Offsets and lengths of GNU's oldest sparse maps in PAX, whose keys come again and again. */
  readonly sparse: readonly string[];
  readonly longName?: string;
  readonly longLink?: string;
}

/** An entry's own header, and what stood in front of it. */
export interface ExtendedHeader {
  readonly header: Header;
  readonly extension: Extension;
}

/** Reads the headers of an archive's entries. */
export class HeaderReader {
  readonly #input: BlockReader;
  readonly #globals = new Map<string, Uint8Array>();

  constructor(input: BlockReader) {
    this.#input = input;
  }

  /** The next entry's header; undefined at the end of the archive. @throws {Fault} */
  async next(): Promise<ExtendedHeader | undefined> {
    const records = new Map(this.#globals);
    const sparse: string[] = [];
    let longName: string | undefined;
    let longLink: string | undefined;
    let isExtended = false;
    for (;;) {
      const block = await this.#block();
      if (block === undefined) {
        if (isExtended) throw damaged("it ends in a header");
        return undefined;
      }
      const header = readHeader(block);
      isExtended ||= header.type !== GLOBAL_PAX;
      switch (header.type) {
        case LONG_NAME:
          longName = decodePath(cString(await this.#content(header)));
          continue;
        case LONG_LINK:
          longLink = decodePath(cString(await this.#content(header)));
          continue;
        case GLOBAL_PAX:
          for (const [key, value] of readPaxRecords(await this.#content(header))) {
            setGlobal(this.#globals, key, value);
            if (value.length === 0) records.delete(key);
            else records.set(key, value);
          }
          continue;
        case PAX_TYPE:
        case SOLARIS_PAX:
          for (const [key, value] of readPaxRecords(await this.#content(header))) {
            if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") {
              sparse.push(new TextDecoder().decode(value));
            } else records.set(key, value);
          }
          continue;
      }
      return {
        header,
        extension: {
          records,
          sparse,
          ...(longName === undefined ? {} : { longName }),
          ...(longLink === undefined ? {} : { longLink }),
        },
      };
    }
  }

  /** Two empty blocks end an archive, or the end of the file; one alone is damage. */
  async #block(): Promise<Uint8Array | undefined> {
    const block = await this.#input.take(BLOCK);
    if (block === undefined || !isEnd(block)) return block?.slice();
    const second = await this.#input.take(BLOCK);
    if (second === undefined || isEnd(second)) return undefined;
    throw damaged("an empty block stands among its entries");
  }

  async #content(header: Header): Promise<Uint8Array> {
    if (header.size < 0 || header.size > EXTENSION_LIMIT) {
      throw damaged(`a header has more than ${EXTENSION_LIMIT} bytes`);
    }
    const data = await this.#input.take(padded(header.size));
    if (data === undefined && header.size > 0) throw damaged("it ends in a header");
    return data?.slice(0, header.size) ?? new Uint8Array(0);
  }
}

/** Values of one entry make no sense for all. @throws {Fault} */
function setGlobal(globals: Map<string, Uint8Array>, key: string, value: Uint8Array): void {
  if (/^(?:path|linkpath|size)$/.test(key) || key.startsWith("GNU.sparse.")) {
    throw damaged(`a header for all entries gives them one ${key}`);
  }
  if (value.length === 0) globals.delete(key);
  else globals.set(key, value);
}

function cString(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** An archive that cannot be read. */
export function damaged(why: string): Fault {
  return new Fault(`Cannot read the archive: ${why}`);
}
