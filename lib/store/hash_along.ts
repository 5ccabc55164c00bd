/** As a worker, hashes a file as far as it has been written. */

import type { Digest } from "../model/digest.ts";
import { Sha256 } from "../oci/sha256.ts";

/** How far the file may be read now. */
export interface HashRequest {
  readonly path: string;
  /** Offset of the end of what has been written, in bytes. */
  readonly upTo: number;
  /** There will be no more. */
  readonly last: boolean;
}

/** The answer to the last request, or to the first that failed. */
export type HashAnswer = { readonly digest: Digest } | { readonly error: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<HashRequest>) => void) | null;
  postMessage(message: HashAnswer): void;
}

/** One file, read as it grows. */
class Reader {
  readonly #hash = new Sha256();
  readonly #buffer = new Uint8Array(1024 * 1024);
  #file: Deno.FsFile | undefined;
  #read = 0;

  read({ path, upTo, last }: HashRequest): Digest | undefined {
    this.#file ??= Deno.openSync(path);
    while (this.#read < upTo) {
      const wanted = Math.min(this.#buffer.length, upTo - this.#read);
      const count = this.#file.readSync(this.#buffer.subarray(0, wanted));
      if (count === null) throw new Error(`it ends after ${this.#read} bytes instead of ${upTo}`);
      this.#hash.update(this.#buffer.subarray(0, count));
      this.#read += count;
    }
    if (!last) return undefined;
    this.#file.close();
    return this.#hash.digest();
  }
}

// Whoever else imports this may be a worker too.
if (import.meta.main && "WorkerGlobalScope" in globalThis) {
  const scope = globalThis as unknown as WorkerScope;
  const reader = new Reader();
  scope.onmessage = ({ data }) => {
    try {
      const digest = reader.read(data);
      if (digest !== undefined) scope.postMessage({ digest });
    } catch (error) {
      scope.postMessage({ error: (error as Error).message });
    }
  };
}
