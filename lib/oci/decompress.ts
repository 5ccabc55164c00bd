/** Taking the compression off layers and archives. */

import { createGunzip, createZstdDecompress } from "node:zlib";
import { Duplex } from "node:stream";
import { Fault } from "../model/errors.ts";
import { BlockReader } from "./block_reader.ts";
import { isZstd, zstdFrames } from "./zstd_frames.ts";

/** How many bytes tell a compression. */
const MAGIC_LENGTH = 4;

/**
 * The uncompressed bytes of a layer. How it is compressed is told by its first bytes, since media
 * types are not always right; the media type is for errors.
 */
export function decompress(
  stream: ReadableStream<Uint8Array>,
  mediaType: string,
): ReadableStream<Uint8Array> {
  return ReadableStream.from(decompressed(stream, mediaType));
}

async function* decompressed(
  stream: ReadableStream<Uint8Array>,
  mediaType: string,
): AsyncGenerator<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]();
  const first = await firstBytes(chunks);
  const whole = rejoined(first, chunks);
  if (isZstd(first)) yield* named(unframed(whole), mediaType);
  else if (first[0] === 0x1f && first[1] === 0x8b) {
    yield* named(decoded(whole, createGunzip()), mediaType);
  } else yield* whole;
}

async function* unframed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const frame of zstdFrames(new BlockReader(chunks))) {
    yield* decoded(frame, createZstdDecompress());
  }
}

function decoded(chunks: AsyncIterable<Uint8Array>, decoder: Duplex): ReadableStream<Uint8Array> {
  const { readable, writable } = Duplex.toWeb(decoder);
  return ReadableStream.from(chunks).pipeThrough(
    { readable, writable } as ReadableWritablePair<Uint8Array, Uint8Array>,
  );
}

async function* named(
  chunks: AsyncIterable<Uint8Array>,
  mediaType: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault(`Cannot decompress the layer: ${(cause as Error).message}`, {
      where: mediaType,
      cause,
    });
  }
}

/** Enough chunks to tell the compression by, as one. */
async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let first: Uint8Array = new Uint8Array(0);
  while (first.length < MAGIC_LENGTH) {
    const { done, value } = await chunks.next();
    if (done) break;
    if (first.length === 0) first = value;
    else {
      const both = new Uint8Array(first.length + value.length);
      both.set(first);
      both.set(value, first.length);
      first = both;
    }
  }
  return first;
}

async function* rejoined(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first;
    for (;;) {
      const { done, value } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}
