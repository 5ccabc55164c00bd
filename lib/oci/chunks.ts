/** Many small pieces as few large chunks. */

/** Size of the chunks that are handed on, in bytes. */
const CHUNK = 1024 * 1024;

/** How chunks are handed on. */
export interface ChunkOptions {
  /**
   * Each chunk is overwritten once the next one is asked for: for takers that are done with it by
   * then. Fresh memory for all of a large layer costs as much as hashing it.
   * @default false
   */
  readonly transient?: boolean;
}

/** Collects small pieces, so that few large chunks are handed on. */
export class ChunkBuffer {
  readonly #transient: boolean;
  #chunk = new Uint8Array(CHUNK);
  #used = 0;

  constructor({ transient = false }: ChunkOptions = {}) {
    this.#transient = transient;
  }

  /** Free space for at most so many bytes; what is written there is taken with `claim`. */
  space(wanted: number): Uint8Array {
    return this.#chunk.subarray(this.#used, Math.min(CHUNK, this.#used + wanted));
  }

  /** Takes what was written into `space`; gives the chunk once it is full, to be handed on. */
  claim(count: number): Uint8Array | undefined {
    this.#used += count;
    if (this.#used < CHUNK) return undefined;
    const full = this.#chunk;
    if (!this.#transient) this.#chunk = new Uint8Array(CHUNK);
    this.#used = 0;
    return full;
  }

  /** Adds bytes, copying them. */
  *add(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + CHUNK - this.#used);
      this.#chunk.set(piece, this.#used);
      at += piece.length;
      const full = this.claim(piece.length);
      if (full !== undefined) yield full;
    }
  }

  /** Adds zeros. */
  *addZeros(count: number): Generator<Uint8Array> {
    for (let left = count; left > 0;) {
      const piece = this.space(left).fill(0);
      left -= piece.length;
      const full = this.claim(piece.length);
      if (full !== undefined) yield full;
    }
  }

  /** Hands on what is left. */
  *rest(): Generator<Uint8Array> {
    if (this.#used > 0) yield this.#chunk.subarray(0, this.#used);
  }
}
