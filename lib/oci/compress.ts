/**
 * Compressing layers: on all cores, and with bytes that depend on nothing but the content.
 *
 * A layer is cut into blocks of a fixed size, whatever pieces it arrives in, and each is compressed
 * by itself: members of a gzip file and frames of a zstd file may follow each other (RFC 1952, 2.2;
 * RFC 8878, 3). At most a few blocks are in memory at once.
 */

import { BLOCK_SIZE, compressBlock, type Compression } from "./compress_block.ts";

/** Blocks that are compressed without a worker: starting one takes longer. */
const INLINE_BLOCKS = 2;

/** Workers, at most; each has a block or two in memory. */
const MOST_WORKERS = 8;

/** Compresses streams with workers that are shared until it is closed. */
export class Compressor implements Disposable {
  readonly #workers: CompressionWorker[] = [];
  #next = 0;

  /** Compresses a stream; `none` hands it on as it is. */
  async *compress(
    content: AsyncIterable<Uint8Array>,
    compression: Compression | "none",
  ): AsyncGenerator<Uint8Array> {
    if (compression === "none") {
      yield* content;
      return;
    }
    const pending: Promise<Uint8Array>[] = [];
    try {
      let count = 0;
      for await (const block of blocksOf(content)) {
        pending.push(
          ++count <= INLINE_BLOCKS
            ? Promise.resolve(compressBlock(block, compression))
            : this.#worker().run(block, compression),
        );
        if (pending.length >= 2 * this.#most) yield await pending.shift()!;
      }
      for (let next = pending.shift(); next !== undefined; next = pending.shift()) yield await next;
    } finally {
      // What nobody waits for any more must not fail unseen.
      pending.forEach((each) => each.catch(() => {}));
    }
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    for (const worker of this.#workers.splice(0)) worker.end();
  }

  get #most(): number {
    return Math.min(MOST_WORKERS, Math.max(1, navigator.hardwareConcurrency));
  }

  #worker(): CompressionWorker {
    this.#next = (this.#next + 1) % this.#most;
    return this.#workers[this.#next] ??= new CompressionWorker();
  }
}

/** One worker and what it has been asked. */
class CompressionWorker {
  readonly #worker = new Worker(new URL("./compress_block.ts", import.meta.url).href, {
    type: "module",
  });
  readonly #waiting: { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }[] =
    [];

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Uint8Array>) =>
      this.#waiting.shift()?.resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(event.message));
    };
  }

  /** Answers come in the order of the questions. */
  run(block: Uint8Array<ArrayBuffer>, compression: Compression): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage({ block, compression }, [block.buffer]);
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}

/** The content in blocks of one size, the last one shorter. */
async function* blocksOf(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(BLOCK_SIZE);
  let used = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + BLOCK_SIZE - used);
      block.set(piece, used);
      used += piece.length;
      at += piece.length;
      if (used < BLOCK_SIZE) continue;
      yield block;
      block = new Uint8Array(BLOCK_SIZE);
      used = 0;
    }
  }
  if (used > 0) yield block.slice(0, used);
}
