/** A server's answer whose body has not been read yet. */

import type { ClientRequest, IncomingMessage } from "node:http";
import type { Patience } from "./transport.ts";

/** Bodies up to this size are read to their end to keep the connection, in bytes. */
const DRAIN_LIMIT = 64 * 1024;

/** How long that may take, in milliseconds: a new connection takes no longer. */
const DRAIN_PATIENCE = 1_000;

/** Told of how the reading of a body goes. */
export interface BodyProgress {
  /** Somebody wants the next piece. */
  waiting(): void;
  /** It came, of so many bytes. */
  came(bytes: number): void;
}

/** An answer. Its body must be read or discarded: a connection hangs on it. */
export class Answer {
  /** What was asked, after redirects. */
  readonly url: URL;
  readonly status: number;
  /** How long is waited for what. */
  readonly patience: Patience;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ClientRequest;
  readonly #progress: BodyProgress;
  /** Nothing else may go over its connection. */
  readonly #isLast: boolean;

  constructor(
    url: URL,
    incoming: IncomingMessage,
    outgoing: ClientRequest,
    options: {
      /** The request carried a stream. */
      readonly streamed: boolean;
      readonly progress: BodyProgress;
      readonly patience: Patience;
    },
  ) {
    this.url = url;
    this.status = incoming.statusCode ?? 0;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#progress = options.progress;
    this.patience = options.patience;
    // Who refuses a stream may not have read it, nor mean to.
    this.#isLast = !outgoing.writableEnded || (options.streamed && this.status >= 300);
    // What ends the body early is for its reader to hear; there may be none yet.
    incoming.on("error", () => {});
  }

  /** A header's value; several are joined by commas. */
  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** The length of the body as the header tells it; undefined where it does not. */
  get length(): number | undefined {
    const text = this.header("content-length");
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  }

  /** The body piece by piece; what ends it early is thrown. */
  async *body(): AsyncGenerator<Uint8Array> {
    const chunks = this.#incoming[Symbol.asyncIterator]();
    try {
      for (;;) {
        this.#progress.waiting();
        const { done, value } = await chunks.next();
        this.#progress.came(value?.length ?? 0);
        if (done) break;
        yield value;
      }
    } finally {
      await chunks.return?.();
    }
    if (!this.#incoming.complete) {
      throw Object.assign(new Error("the answer ended early"), { code: "ECONNRESET" });
    }
    if (this.#isLast) this.#outgoing.destroy();
  }

  /**
   * The body whole, or its beginning where it is longer.
   *
   * @param limit in bytes.
   * @param within after so many milliseconds what has come is given.
   */
  async bytes(limit: number, within?: number): Promise<{ bytes: Uint8Array; complete: boolean }> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    let late = false;
    const timer = within === undefined ? undefined : setTimeout(() => {
      late = true;
      this.destroy();
    }, within);
    try {
      for await (const chunk of this.body()) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > limit) break;
      }
    } catch (error) {
      if (!late) throw error;
    } finally {
      clearTimeout(timer);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return { bytes: bytes.subarray(0, limit), complete: size <= limit && !late };
  }

  /** Lets go of the body; the connection is kept where that is cheap. */
  async discard(): Promise<void> {
    const small = this.#outgoing.method === "HEAD" || (this.length ?? 0) <= DRAIN_LIMIT;
    if (!small || this.#isLast) return this.destroy();
    try {
      await this.bytes(DRAIN_LIMIT, DRAIN_PATIENCE);
    } catch {
      // Nobody wanted it.
    }
  }

  /** Ends the connection. */
  destroy(): void {
    this.#outgoing.destroy();
    this.#incoming.destroy();
  }
}
