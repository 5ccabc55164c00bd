/** Compressing one block; as a worker, one message after the other. */

import { constants, gzipSync, zstdCompressSync } from "node:zlib";

/** Ways to compress. */
export type Compression = "gzip" | "zstd";

/** Bytes of a block: large enough to compress well, small enough to share among cores. */
export const BLOCK_SIZE: number = 1024 * 1024;

/**
 * The level at which two cores keep up with what skopeo does on them; the next one takes nearly twice
 * as long for a sixth of the size.
 */
const GZIP_LEVEL = 1;

/** The next level takes a sixth longer for a fourteenth of the size. */
const ZSTD_LEVEL = 1;

/**
 * Bytes of the buffer a result is made in: all of it fits, also where nothing can be made smaller. So
 * there is one buffer for each block, which can be freed by hand; V8 counts up to 64 MiB of garbage
 * outside its heap before it looks for it, in each worker.
 */
const CAPACITY = BLOCK_SIZE + 64 * 1024;

/** Pieces of a block that tell whether gzip can do anything with it, and their size in bytes. */
const SAMPLES = 3;
const SAMPLE_SIZE = 8 * 1024;

/** Bytes of the buffer a sample is compressed in; of this size Node shares none. */
const SAMPLE_CAPACITY = 2 * SAMPLES * SAMPLE_SIZE;

/** What is made smaller by less than this is not worth the time. */
const WORTH = 0.97;

/** Compresses a block to one gzip member or zstd frame, in a buffer of its own size. */
export function compressBlock(
  block: Uint8Array,
  compression: Compression,
): Uint8Array<ArrayBuffer> {
  return fitted(compression === "gzip" ? gzip(block) : zstd(block));
}

function zstd(block: Uint8Array): Uint8Array {
  return zstdCompressSync(block, {
    chunkSize: CAPACITY,
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
}

/**
 * What is compressed already is stored: fast gzip would make it larger, and takes its time. zstd
 * finds that out by itself.
 */
function gzip(block: Uint8Array): Uint8Array {
  const sample = sampleOf(block);
  const tried = gzipSync(sample, { level: GZIP_LEVEL, chunkSize: SAMPLE_CAPACITY });
  const isWorth = tried.length < WORTH * sample.length;
  fitted(tried).buffer.transfer(0);
  return gzipSync(block, { level: isWorth ? GZIP_LEVEL : 0, chunkSize: CAPACITY });
}

/** The bytes in a buffer that is as long as they are; what it was made in is free again. */
function fitted({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array<ArrayBuffer> {
  const isOwn = byteOffset === 0 && buffer.byteLength >= SAMPLE_CAPACITY;
  if (isOwn && buffer instanceof ArrayBuffer) return new Uint8Array(buffer.transfer(byteLength));
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
}

/** Pieces from the beginning, the middle and the end; of a small block all of it. */
function sampleOf(block: Uint8Array): Uint8Array {
  if (block.length <= SAMPLES * SAMPLE_SIZE) return block;
  const sample = new Uint8Array(SAMPLES * SAMPLE_SIZE);
  const step = (block.length - SAMPLE_SIZE) / (SAMPLES - 1);
  for (let at = 0; at < SAMPLES; at++) {
    const start = Math.floor(at * step);
    sample.set(block.subarray(start, start + SAMPLE_SIZE), at * SAMPLE_SIZE);
  }
  return sample;
}

/** What a worker is asked: to compress the first bytes of a block. */
export interface CompressionRequest {
  readonly block: Uint8Array<ArrayBuffer>;
  /** How many of its bytes count. */
  readonly length: number;
  readonly compression: Compression;
}

/** What a worker answers; the block comes back to be filled again. */
export interface CompressionAnswer {
  readonly block: Uint8Array<ArrayBuffer>;
  readonly compressed: Uint8Array<ArrayBuffer>;
}

/** What a worker says once it can be asked. */
export const READY = "ready";

interface WorkerScope {
  onmessage: ((event: MessageEvent<CompressionRequest>) => void) | null;
  postMessage(message: CompressionAnswer | typeof READY, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

// Whoever else imports this may be a worker too.
if (import.meta.main && "WorkerGlobalScope" in globalThis) {
  scope.onmessage = ({ data: { block, length, compression } }) => {
    const compressed = compressBlock(block.subarray(0, length), compression);
    scope.postMessage({ block, compressed }, [block.buffer, compressed.buffer]);
  };
  scope.postMessage(READY, []);
}
