/**
 * Compressing layers: on all cores, and with bytes that depend on nothing but the content.
 *
 * A layer is cut into blocks of a fixed size, whatever pieces it arrives in, and each is compressed
 * by itself: members of a gzip file and frames of a zstd file may follow each other (RFC 1952, 2.2;
 * RFC 8878, 3). All streams share a few blocks, which are filled again and again: as much memory is
 * used for one layer as for many.
 */

import { setImmediate } from "node:timers";
import {
  BLOCK_SIZE,
  compressBlock,
  type Compression,
  type CompressionAnswer,
  READY,
} from "./compress_block.ts";
import { release } from "./release.ts";

/** Blocks after which a worker is started: for fewer that takes longer than they do. */
const WITHOUT_WORKERS = 2;

/** Threads that compress, at most. */
const MOST_THREADS = 8;

/** Blocks that a worker has: one that it compresses, and one that waits. */
const WORKER_LOAD = 2;

/** Blocks for each thread: those of a worker, and two that are filled. */
const BLOCKS_EACH = WORKER_LOAD + 2;

/** A block and how much of it is filled. */
interface Filled {
  readonly block: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/**
 * Compresses streams with workers that are shared until it is closed. While they start, and while all
 * have enough to do, this thread compresses too: on two cores there is one worker besides it.
 */
export class Compressor implements Disposable {
  readonly #threads = Math.min(MOST_THREADS, Math.max(1, navigator.hardwareConcurrency));
  readonly #blocks = new BlockPool(BLOCKS_EACH * this.#threads);
  readonly #workers: CompressionWorker[] = [];

  /**
   * Compresses a stream; `none` hands it on as it is. Chunks are taken over: those that have a buffer
   * to themselves are gone once they are read.
   */
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
      for await (const filled of filledBlocks(content, this.#blocks)) {
        if (++count > WITHOUT_WORKERS) this.#startWorker();
        const worker = this.#idleWorker();
        if (worker !== undefined) pending.push(worker.run(filled, compression, this.#blocks));
        else {
          pending.push(Promise.resolve(this.#compressHere(filled, compression)));
          await othersTurn();
        }
        if (pending.length >= BLOCKS_EACH * this.#threads) yield await pending.shift()!;
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

  #compressHere({ block, length }: Filled, compression: Compression): Uint8Array {
    const compressed = compressBlock(block.subarray(0, length), compression);
    this.#blocks.give(block);
    return compressed;
  }

  /** The worker with the least to do, if it can take more. */
  #idleWorker(): CompressionWorker | undefined {
    let idle: CompressionWorker | undefined;
    for (const each of this.#workers) {
      if (each.isReady && each.load < (idle?.load ?? WORKER_LOAD)) idle = each;
    }
    return idle;
  }

  /** Starts another worker, one after the other: it holds this thread up. */
  #startWorker(): void {
    if (this.#workers.length >= this.#threads - 1) return;
    if (this.#workers.every((each) => each.isReady && each.load > 0)) {
      this.#workers.push(new CompressionWorker());
    }
  }
}

/**
 * Lets workers' answers in: as long as files are read and sockets take bytes at once, everything else
 * of this thread follows without a pause.
 */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** One worker and what it has been asked. */
class CompressionWorker {
  readonly #worker = new Worker(new URL("./compress_block.ts", import.meta.url).href, {
    type: "module",
  });
  readonly #waiting: {
    readonly resolve: (answer: CompressionAnswer) => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  #ready = false;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<CompressionAnswer | typeof READY>) => {
      if (data === READY) this.#ready = true;
      else this.#waiting.shift()?.resolve(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(event.message));
    };
  }

  /** Whether it has started. */
  get isReady(): boolean {
    return this.#ready;
  }

  /** How many blocks it has been given and not given back. */
  get load(): number {
    return this.#waiting.length;
  }

  /** Compresses a block, which is then free again. Answers come in the order of the questions. */
  async run(
    { block, length }: Filled,
    compression: Compression,
    blocks: BlockPool,
  ): Promise<Uint8Array> {
    const answer = await new Promise<CompressionAnswer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage({ block, length, compression }, [block.buffer]);
    });
    blocks.give(answer.block);
    return answer.compressed;
  }

  end(): void {
    this.#worker.terminate();
  }
}

/** A limited number of blocks; who asks for more waits until one is free. */
class BlockPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #waiting: ((block: Uint8Array<ArrayBuffer>) => void)[] = [];
  #unmade: number;

  constructor(count: number) {
    this.#unmade = count;
  }

  async take(): Promise<Uint8Array<ArrayBuffer>> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#unmade > 0) {
      this.#unmade -= 1;
      return new Uint8Array(BLOCK_SIZE);
    }
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(block: Uint8Array<ArrayBuffer>): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(block);
    else next(block);
  }
}

/** The content in blocks of one size, the last one shorter. */
function filledBlocks(
  content: AsyncIterable<Uint8Array>,
  blocks: BlockPool,
): AsyncGenerator<Filled> {
  const reader = content instanceof ReadableStream ? byteReader(content) : undefined;
  return reader === undefined ? copiedBlocks(content, blocks) : readBlocks(reader, blocks);
}

/** Undefined where a stream cannot be read into a buffer of ours. */
function byteReader(
  stream: ReadableStream<Uint8Array>,
): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError && !stream.locked) return undefined;
    throw error;
  }
}

/** Has the content read into blocks: it is copied nowhere else. */
async function* readBlocks(
  reader: ReadableStreamBYOBReader,
  blocks: BlockPool,
): AsyncGenerator<Filled> {
  let ended = false;
  try {
    while (!ended) {
      const { block, length, done } = await readBlock(reader, await blocks.take(), blocks);
      ended = done;
      if (length > 0) yield { block, length };
      else blocks.give(block);
    }
  } finally {
    if (!ended) await reader.cancel();
    reader.releaseLock();
  }
}

/** Fills a block; while it is filled it belongs to the stream, and is lost where that fails. */
async function readBlock(
  reader: ReadableStreamBYOBReader,
  empty: Uint8Array<ArrayBuffer>,
  blocks: BlockPool,
): Promise<Filled & { readonly done: boolean }> {
  let block = empty;
  let length = 0;
  try {
    while (length < BLOCK_SIZE) {
      const { done, value } = await reader.read(block.subarray(length));
      if (value !== undefined) {
        block = new Uint8Array(value.buffer);
        length += value.byteLength;
      }
      if (done) return { block, length, done };
    }
    return { block, length, done: false };
  } catch (error) {
    blocks.give(new Uint8Array(BLOCK_SIZE));
    throw error;
  }
}

/** Copies the content into blocks, whatever pieces it comes in. */
async function* copiedBlocks(
  content: AsyncIterable<Uint8Array>,
  blocks: BlockPool,
): AsyncGenerator<Filled> {
  let block: Uint8Array<ArrayBuffer> | undefined;
  let length = 0;
  try {
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length;) {
        block ??= await blocks.take();
        const piece = chunk.subarray(at, at + BLOCK_SIZE - length);
        block.set(piece, length);
        length += piece.length;
        at += piece.length;
        if (length < BLOCK_SIZE) continue;
        const filled = { block, length };
        block = undefined;
        length = 0;
        yield filled;
      }
      release(chunk);
    }
    if (block === undefined) return;
    const last = { block, length };
    block = undefined;
    yield last;
  } finally {
    if (block !== undefined) blocks.give(block);
  }
}
