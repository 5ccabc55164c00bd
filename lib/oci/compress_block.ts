/** Compressing one block; as a worker, one message after the other. */

import { constants, gzipSync, zstdCompressSync } from "node:zlib";

/** Ways to compress. */
export type Compression = "gzip" | "zstd";

/** Bytes of a block: large enough to compress well, small enough to share among cores. */
export const BLOCK_SIZE: number = 1024 * 1024;

/** Fast enough for two cores to keep up with a local registry; higher levels gain little. */
const GZIP_LEVEL = 3;
const ZSTD_LEVEL = 3;

/** Compresses a block to one gzip member or zstd frame. */
export function compressBlock(block: Uint8Array, compression: Compression): Uint8Array {
  if (compression === "gzip") return gzipSync(block, { level: GZIP_LEVEL });
  return zstdCompressSync(block, {
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
}

interface WorkerScope {
  onmessage:
    | ((event: MessageEvent<{ block: Uint8Array; compression: Compression }>) => void)
    | null;
  postMessage(message: Uint8Array, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

// `postMessage` with a transfer list is there only in a worker.
if ("WorkerGlobalScope" in globalThis) {
  scope.onmessage = ({ data: { block, compression } }) => {
    const compressed = new Uint8Array(compressBlock(block, compression));
    scope.postMessage(compressed, [compressed.buffer as ArrayBuffer]);
  };
}
