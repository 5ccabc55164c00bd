/** Compressing one block; as a worker, one message after the other. */

import { constants, gzipSync, zstdCompressSync } from "node:zlib";

/** Ways to compress. */
export type Compression = "gzip" | "zstd";

/** Bytes of a block: large enough to compress well, small enough to share among cores. */
export const BLOCK_SIZE: number = 1024 * 1024;

/** Each level above takes a fifth to a third longer for two to four hundredths of the size. */
const GZIP_LEVEL = 2;
const ZSTD_LEVEL = 2;

/** Compresses a block to one gzip member or zstd frame. */
export function compressBlock(block: Uint8Array, compression: Compression): Uint8Array {
  if (compression === "gzip") return gzipSync(block, { level: GZIP_LEVEL });
  return zstdCompressSync(block, {
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
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
