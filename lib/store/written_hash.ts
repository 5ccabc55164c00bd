/**
 * The digest of a file while it is written. A large one is hashed by a worker that reads along, since
 * hashing takes as long as everything else that is done with a layer.
 */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import { Sha256 } from "../oci/sha256.ts";
import type { HashAnswer, HashRequest } from "./hash_along.ts";

/** Bytes that are hashed before a worker takes over: starting one takes about as long. */
const INLINE = 16 * 1024 * 1024;

/** Bytes between two messages to the worker. */
const STEP = 8 * 1024 * 1024;

/** Hashes a file that is being written. */
export class WrittenHash implements Disposable {
  readonly #path: string;
  readonly #hash = new Sha256();
  #written = 0;
  #told = 0;
  #worker: Worker | undefined;
  #answer: Promise<HashAnswer> | undefined;

  /** @param path of the file; it is there, and empty. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Takes note of bytes that have been written at the end of the file. */
  add(chunk: Uint8Array): void {
    this.#written += chunk.length;
    if (this.#worker === undefined) {
      this.#hash.update(chunk);
      if (this.#written > INLINE && navigator.hardwareConcurrency > 1) this.#start();
    } else if (this.#written - this.#told >= STEP) this.#tell(false);
  }

  /** The digest of the whole file. */
  async digest(): Promise<Digest> {
    if (this.#answer === undefined) return this.#hash.digest();
    this.#tell(true);
    const answer = await this.#answer;
    if ("digest" in answer) return answer.digest;
    throw new Fault(`Cannot read what was just written: ${answer.error}`, { where: this.#path });
  }

  /** Ends the worker. */
  [Symbol.dispose](): void {
    this.#worker?.terminate();
  }

  #start(): void {
    const worker = new Worker(new URL("./hash_along.ts", import.meta.url).href, { type: "module" });
    this.#answer = new Promise((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<HashAnswer>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve({ error: event.message });
      };
    });
    this.#worker = worker;
    this.#tell(false);
  }

  #tell(last: boolean): void {
    this.#told = this.#written;
    const request: HashRequest = { path: this.#path, upTo: this.#written, last };
    this.#worker!.postMessage(request);
  }
}
