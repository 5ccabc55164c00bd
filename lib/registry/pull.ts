/** Reading blobs: every byte is checked, and a connection that breaks is taken up where it broke. */

import type { Descriptor } from "../model/oci.ts";
import { Sha256 } from "../oci/sha256.ts";
import type { Answer } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import { broken, isTemporary, RegistryFault } from "./faults.ts";
import type { Attempts } from "./pacer.ts";
import { pullScope } from "./scope.ts";

const ACTION = "read a blob";

/** How a blob is read. */
export interface BlobOptions {
  /** Ends the reading. */
  readonly signal?: AbortSignal;
  /** It is small, and must be here as soon as other documents. @default false */
  readonly isDocument?: boolean;
}

/** Reads one blob. */
export class BlobReader {
  readonly #endpoint: Endpoint;
  readonly #repository: string;
  readonly #descriptor: Descriptor;
  readonly #options: BlobOptions;
  readonly #attempts: Attempts;
  readonly #hash = new Sha256();
  #read = 0;
  #answer: Answer | undefined;

  constructor(
    endpoint: Endpoint,
    repository: string,
    descriptor: Descriptor,
    options: BlobOptions,
  ) {
    this.#endpoint = endpoint;
    this.#repository = repository;
    this.#descriptor = descriptor;
    this.#options = options;
    this.#attempts = endpoint.pacer.attempts();
  }

  /** Asks for the blob; its bytes come with {@link BlobReader.chunks}. */
  async open(): Promise<void> {
    const { digest, size } = this.#descriptor;
    const { signal, isDocument = false } = this.#options;
    this.#attempts.begin();
    const answer = await this.#endpoint.ask({
      method: "GET",
      at: `/v2/${this.#repository}/blobs/${digest}`,
      repository: this.#repository,
      scopes: [pullScope(this.#repository)],
      action: ACTION,
      accepts: this.#read > 0 ? [200, 206] : [200],
      carriesBlob: true,
      isDocument,
      ...(this.#read > 0 ? { headers: { range: `bytes=${this.#read}-` } } : {}),
      ...(signal === undefined ? {} : { signal }),
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
    const { isDocument = false } = this.#options;
    while (this.#read < size) {
      try {
        for await (const chunk of this.#fresh()) {
          if (this.#read + chunk.length > size) throw this.#wrong(`it has more than ${size} bytes`);
          this.#hash.update(chunk);
          this.#read += chunk.length;
          if (!isDocument) this.#attempts.advanced();
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
        await this.#pause(error);
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
    const chunks = answer.body();
    try {
      for (;;) {
        const chunk = await this.#next(chunks);
        if (chunk === undefined) return;
        const rest = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        if (rest.length > 0) yield rest;
      }
    } finally {
      await chunks.return(undefined);
    }
  }

  /** People are told whom they wait for. */
  async #next(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array | undefined> {
    using _told = this.#endpoint.pacer.watch();
    return (await chunks.next()).value;
  }

  async #pause(error: unknown): Promise<void> {
    const { signal: all, secrets, host } = this.#endpoint;
    const { signal = all } = this.#options;
    this.#answer?.destroy();
    all.throwIfAborted();
    signal.throwIfAborted();
    const fault = error instanceof RegistryFault
      ? error
      : broken(error, { action: ACTION, where: this.#where }, host, secrets);
    if (!isTemporary(fault) || !this.#attempts.mayRetry(fault)) throw fault;
    await this.#attempts.pause(fault, signal);
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
      next: this.#endpoint.isStrange(this.#repository)
        ? "choose another tag or digest, or take the image from elsewhere"
        : "push the image again; the registry's storage may be damaged",
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
