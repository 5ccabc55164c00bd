/**
 * The frames of a zstd stream: parallel compressors and zstd:chunked write many, with frames between
 * them that decoders pass over. Node's decoder stops after the first without a word, also where it is
 * cut off.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1
 */

import { Fault } from "../model/errors.ts";
import type { BlockReader } from "./block_reader.ts";

const MAGIC = 0xfd2fb528;
/** The last four bits are free. */
const SKIPPABLE = 0x184d2a50;

const DICTIONARY_ID_SIZES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_SIZES = [0, 2, 4, 8] as const;
const RLE = 1;
const RESERVED = 3;

/** Says whether bytes begin like a frame of zstd, or one that is passed over. */
export function isZstd(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = little(bytes, 4);
  return magic === MAGIC || isSkippable(magic);
}

/**
 * The frames of a stream, each as its own bytes, to be read one after the other.
 *
 * @throws {Fault} where a frame is malformed or cut off, or something else follows.
 */
export async function* zstdFrames(
  input: BlockReader,
): AsyncGenerator<AsyncIterable<Uint8Array>> {
  for (;;) {
    const start = await input.take(4);
    if (start === undefined) return;
    const magic = little(start, 4);
    if (isSkippable(magic)) {
      const size = little(await taken(input, 4), 4);
      if (await input.skip(size) > 0) throw damaged("a frame is cut off");
    } else if (magic === MAGIC) yield frame(start.slice(), input);
    else throw damaged("something else follows its frames");
  }
}

async function* frame(magic: Uint8Array, input: BlockReader): AsyncGenerator<Uint8Array> {
  yield magic;
  const descriptor = (await taken(input, 1)).slice();
  yield descriptor;
  const bits = descriptor[0]!;
  const isSingle = (bits & 0x20) !== 0;
  const contentSize = CONTENT_SIZE_SIZES[bits >> 6]! || (isSingle ? 1 : 0);
  yield await taken(
    input,
    (isSingle ? 0 : 1) + DICTIONARY_ID_SIZES[bits & 0x03]! + contentSize,
  );
  for (let isLast = false; !isLast;) {
    const header = (await taken(input, 3)).slice();
    yield header;
    const value = little(header, 3);
    const type = (value >> 1) & 0x03;
    isLast = (value & 1) === 1;
    if (type === RESERVED) throw damaged("a block is malformed");
    for (let left = type === RLE ? 1 : value >> 3; left > 0;) {
      const chunk = await input.some(left);
      if (chunk === undefined) throw damaged("a block is cut off");
      left -= chunk.length;
      yield chunk;
    }
  }
  if ((bits & 0x04) !== 0) yield await taken(input, 4);
}

async function taken(input: BlockReader, count: number): Promise<Uint8Array> {
  const bytes = count === 0 ? new Uint8Array(0) : await input.take(count);
  if (bytes === undefined) throw damaged("a frame is cut off");
  return bytes;
}

function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) === SKIPPABLE;
}

function little(bytes: Uint8Array, count: number): number {
  let value = 0;
  for (let at = count - 1; at >= 0; at--) value = value * 256 + bytes[at]!;
  return value;
}

function damaged(why: string): Fault {
  return new Fault(`Cannot decompress it: ${why}`);
}
