/** Many small pieces as few large chunks. */

/** Size of the chunks that are handed on, in bytes. */
const CHUNK = 1024 * 1024;

/** Collects small pieces, so that few large chunks are handed on. */
export class ChunkBuffer {
  #chunk = new Uint8Array(CHUNK);
  #used = 0;

  /** Free space for at most so many bytes; what is written there is taken with `claim`. */
  space(wanted: number): Uint8Array {
    return this.#chunk.subarray(this.#used, Math.min(CHUNK, this.#used + wanted));
  }

  /** Takes what was written into `space`, and hands a full chunk on. */
  *claim(count: number): Generator<Uint8Array> {
    this.#used += count;
    if (this.#used < CHUNK) return;
    yield this.#chunk;
    this.#chunk = new Uint8Array(CHUNK);
    this.#used = 0;
  }

  /** Adds bytes, copying them. */
  *add(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + CHUNK - this.#used);
      this.#chunk.set(piece, this.#used);
      at += piece.length;
      yield* this.claim(piece.length);
    }
  }

  /** Adds zeros: a new chunk is zeros already. */
  *addZeros(count: number): Generator<Uint8Array> {
    for (let left = count; left > 0;) {
      const piece = this.space(left).length;
      left -= piece;
      yield* this.claim(piece);
    }
  }

  /** Hands on what is left. */
  *rest(): Generator<Uint8Array> {
    if (this.#used > 0) yield this.#chunk.subarray(0, this.#used);
  }
}
