/** Reading blobs: every byte is checked, and a connection that breaks is taken up where it broke. */

import type { Descriptor } from "../model/oci.ts";
import { Sha256 } from "../oci/sha256.ts";
import type { Answer } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import { broken, isTemporary, RegistryFault } from "./faults.ts";
import { pullScope } from "./scope.ts";

const ACTION = "read a blob";

/** Reads one blob. */
export class BlobReader {
  readonly #endpoint: Endpoint;
  readonly #repository: string;
  readonly #descriptor: Descriptor;
  readonly #signal: AbortSignal | undefined;
  readonly #hash = new Sha256();
  #read = 0;
  #answer: Answer | undefined;

  constructor(
    endpoint: Endpoint,
    repository: string,
    descriptor: Descriptor,
    signal: AbortSignal | undefined,
  ) {
    this.#endpoint = endpoint;
    this.#repository = repository;
    this.#descriptor = descriptor;
    this.#signal = signal;
  }

  /** Asks for the blob; its bytes come with {@link BlobReader.chunks}. */
  async open(): Promise<void> {
    const { digest, size } = this.#descriptor;
    const answer = await this.#endpoint.ask({
      method: "GET",
      at: `/v2/${this.#repository}/blobs/${digest}`,
      repository: this.#repository,
      scopes: [pullScope(this.#repository)],
      action: ACTION,
      accepts: this.#read > 0 ? [200, 206] : [200],
      carriesBlob: true,
      ...(this.#read > 0 ? { headers: { range: `bytes=${this.#read}-` } } : {}),
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    });
    this.#answer = answer;
    const { length = size } = answer;
    if (answer.status === 200 && length !== size) {
      answer.destroy();
      throw this.#wrong(`it has ${length} bytes instead of ${size}`);
    }
  }

  /** The bytes, of which the last come only when all are right. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const { size } = this.#descriptor;
    for (let failures = 1; this.#read < size; failures++) {
      try {
        for await (const chunk of this.#fresh()) {
          if (this.#read + chunk.length > size) throw this.#wrong(`it has more than ${size} bytes`);
          this.#hash.update(chunk);
          this.#read += chunk.length;
          failures = 1;
          if (this.#read === size) this.#check();
          yield chunk;
        }
        if (this.#read < size) {
          throw new RegistryFault(`Cannot ${ACTION}: it ends early`, { temporary: true }, {
            where: this.#where,
            next: "try again; if it stays so, look at the registry's own log",
          });
        }
      } catch (error) {
        await this.#pause(failures, error);
        await this.open();
      }
    }
    if (size === 0) this.#check();
    await this.#answer?.discard();
  }

  /** Lets go of what has not been read. */
  cancel(): void {
    this.#answer?.destroy();
  }

  /** The bytes that were not read before; some servers start again from the beginning. */
  async *#fresh(): AsyncGenerator<Uint8Array> {
    const answer = this.#answer!;
    let skip = answer.status === 206 ? this.#read - rangeStart(answer, this.#read) : this.#read;
    for await (const chunk of answer.body()) {
      const rest = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  }

  async #pause(failures: number, error: unknown): Promise<void> {
    const { signal, secrets, host, pacer } = this.#endpoint;
    this.#answer?.destroy();
    signal.throwIfAborted();
    this.#signal?.throwIfAborted();
    const fault = error instanceof RegistryFault
      ? error
      : broken(error, { action: ACTION, where: this.#where }, host, secrets);
    if (!isTemporary(fault) || failures >= pacer.tries) throw fault;
    await pacer.pause(failures, fault, this.#signal ?? signal);
  }

  #check(): void {
    const { digest } = this.#descriptor;
    const found = this.#hash.digest();
    if (found !== digest) throw this.#wrong(`its digest is ${found}`);
  }

  #wrong(why: string): RegistryFault {
    const { digest } = this.#descriptor;
    return new RegistryFault(`The registry sends another blob than ${digest}: ${why}`, {}, {
      where: this.#where,
      next: "push the image again; the registry's storage may be damaged",
    });
  }

  get #where(): string {
    return `${this.#endpoint.host}/${this.#repository}`;
  }
}

/** Where a part of a blob begins. */
function rangeStart(answer: Answer, wanted: number): number {
  const match = /^bytes (\d+)-/.exec(answer.header("content-range") ?? "");
  const start = match === null ? wanted : Number(match[1]);
  if (start <= wanted) return start;
  throw Object.assign(new Error("the answer leaves bytes out"), { code: "ECONNRESET" });
}
