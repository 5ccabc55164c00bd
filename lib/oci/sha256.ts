/** sha256 of streams. This imports `node:crypto`, which costs 19 ms: not for no-op paths. */

import { createHash, type Hash } from "node:crypto";
import type { Digest } from "../model/digest.ts";

/** A digest that is made piece by piece. */
export class Sha256 {
  readonly #hash: Hash = createHash("sha256");

  /** Adds bytes. */
  update(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  /** Ends, with the digest of all that was added. */
  digest(): Digest {
    return `sha256:${this.#hash.digest("hex")}`;
  }
}

/** The digest of bytes, or of a text's UTF-8. */
export function sha256(content: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
