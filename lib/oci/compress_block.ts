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

/** Bytes of the pieces a result is made in: small enough for the allocator to use them again. */
const CHUNK_SIZE = 64 * 1024;

/** Pieces of a block that tell whether gzip can do anything with it, and their size in bytes. */
const SAMPLES = 3;
const SAMPLE_SIZE = 8 * 1024;

/** What is made smaller by less than this is not worth the time. */
const WORTH = 0.97;

/** Compresses a block to one gzip member or zstd frame. */
export function compressBlock(block: Uint8Array, compression: Compression): Uint8Array {
  if (compression === "gzip") return gzip(block);
  return zstdCompressSync(block, {
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
}

/**
 * What is compressed already is stored: fast gzip would make it larger, and takes its time. zstd
 * finds that out by itself.
 */
function gzip(block: Uint8Array): Uint8Array {
  const sample = sampleOf(block);
  const isWorth = gzipSync(sample, { level: GZIP_LEVEL }).length < WORTH * sample.length;
  return gzipSync(block, { level: isWorth ? GZIP_LEVEL : 0, chunkSize: CHUNK_SIZE });
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

interface WorkerScope {
  onmessage: ((event: MessageEvent<CompressionRequest>) => void) | null;
  postMessage(message: CompressionAnswer, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

/** Small results share a buffer with others, and cannot be handed over by themselves. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  return isOwn ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

// Whoever else imports this may be a worker too.
if (import.meta.main && "WorkerGlobalScope" in globalThis) {
  scope.onmessage = ({ data: { block, length, compression } }) => {
    const compressed = ownBuffer(compressBlock(block.subarray(0, length), compression));
    scope.postMessage({ block, compressed }, [block.buffer, compressed.buffer]);
  };
}
