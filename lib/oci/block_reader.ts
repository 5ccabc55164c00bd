/** Reading a stream of chunks so many bytes at a time. */

import { Fault } from "../model/errors.ts";

/** Takes so many bytes at a time from a stream of chunks. */
export class BlockReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes; undefined at the end. @throws {Fault} where it ends among them. */
  async take(count: number): Promise<Uint8Array | undefined> {
    const first = await this.some(count);
    if (first === undefined || first.length === count) return first;
    const whole = new Uint8Array(count);
    whole.set(first);
    for (let at = first.length; at < count;) {
      const piece = await this.some(count - at);
      if (piece === undefined) throw cutOff();
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  /** At least one and at most so many bytes; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) return undefined;
      this.#chunk = value;
    }
    const piece = this.#chunk.subarray(0, Math.min(most, this.#chunk.length));
    this.#chunk = this.#chunk.subarray(piece.length);
    return piece;
  }

  /** Passes over bytes; gives how many of them are missing at the end. */
  async skip(count: number): Promise<number> {
    let left = count;
    while (left > 0) {
      const piece = await this.some(left);
      if (piece === undefined) break;
      left -= piece.length;
    }
    return left;
  }

  /** Reads on to the end: what checks the bytes on their way does so there. */
  async drain(): Promise<void> {
    while (await this.some(Infinity) !== undefined);
  }

  /** Lets go of what has not been read. */
  async cancel(): Promise<void> {
    await this.#source.return?.();
  }
}

/** A stream that ends before it should. */
export function cutOff(): Fault {
  return new Fault("Cannot read the archive: it is cut off");
}
