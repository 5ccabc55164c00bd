/** A server's answer whose body has not been read yet. */

import type { ClientRequest, IncomingMessage } from "node:http";

/** Bodies up to this size are read to their end to keep the connection, in bytes. */
const DRAIN_LIMIT = 64 * 1024;

/** An answer. Its body must be read or discarded: a connection hangs on it. */
export class Answer {
  /** What was asked, after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ClientRequest;
  readonly #progress: () => void;
  /** Nothing else may go over its connection. */
  readonly #isLast: boolean;

  constructor(
    url: URL,
    incoming: IncomingMessage,
    outgoing: ClientRequest,
    options: {
      /** The request carried a stream. */
      readonly streamed: boolean;
      /** Called for each piece of the body. */
      readonly progress: () => void;
    },
  ) {
    this.url = url;
    this.status = incoming.statusCode ?? 0;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#progress = options.progress;
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
    for await (const chunk of this.#incoming) {
      this.#progress();
      yield chunk;
    }
    if (!this.#incoming.complete) {
      throw Object.assign(new Error("the answer ended early"), { code: "ECONNRESET" });
    }
    if (this.#isLast) this.#outgoing.destroy();
  }

  /** The body whole, or its beginning where it is longer. */
  async bytes(limit: number): Promise<{ bytes: Uint8Array; complete: boolean }> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.body()) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) break;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return { bytes: bytes.subarray(0, limit), complete: size <= limit };
  }

  /** Lets go of the body; the connection is kept where that is cheap. */
  async discard(): Promise<void> {
    const small = this.#outgoing.method === "HEAD" || (this.length ?? 0) <= DRAIN_LIMIT;
    if (!small || this.#isLast) return this.destroy();
    try {
      await this.bytes(DRAIN_LIMIT);
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
