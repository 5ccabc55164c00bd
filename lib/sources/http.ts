/** What a URL serves: asked for with as few bytes as the server's validators allow. */

import { Sha256 } from "../oci/sha256.ts";
import type { Digest } from "../model/digest.ts";
import { asFault, Fault, type FaultOptions, unavailableFault } from "../model/errors.ts";
import type { SourceState } from "../model/source.ts";
import type { Answer } from "../registry/answer.ts";
import { TimeoutError } from "../registry/deadline.ts";
import { redactUrl } from "../registry/host.ts";
import { Transport } from "../registry/transport.ts";
import { sleep } from "../util/sleep.ts";
import { decoded } from "./content_encoding.ts";

/** Redirects that are followed. */
const MOST_REDIRECTS = 10;

/** The largest body that is taken, in bytes. */
const SIZE_LIMIT = 16 * 1024 ** 3;

/** Times until a slow server is given up, in milliseconds. */
const PATIENCE = {
  connect: 15_000,
  idle: 30_000,
  reply: 60_000,
  answer: 60_000,
  document: 60_000,
  refusal: 5_000,
};

/** From this time on, in milliseconds, a body must have come at this rate, in bytes a second. */
const SLOWNESS = { after: 60_000, rate: 1024 };

/** Statuses after which the same request may succeed. */
const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Times between tries, in milliseconds. */
const PAUSES = [250, 1_000];

/** How a URL is asked. */
export interface HttpOptions {
  /** How it is called in faults. */
  readonly name: string;
  /** What it was before: without a change nothing is downloaded. */
  readonly known?: SourceState | undefined;
  /** Takes the body, from its beginning. */
  readonly write: (chunk: Uint8Array) => void;
  readonly signal: AbortSignal;
  /** Told of the body's bytes, and how many there will be where that is known. */
  readonly onBytes?: ((bytes: number, total?: number) => void) | undefined;
  /** For proxies and certificates. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a URL serves now; `downloaded` says whether the body was written. */
export interface HttpResult {
  readonly state: SourceState & { readonly identity: Digest };
  readonly downloaded: boolean;
}

/**
 * Asks a URL what it serves.
 *
 * @throws {Fault} `unavailable` where it cannot be reached; else with what the server answers.
 */
export async function fetchUrl(url: string, options: HttpOptions): Promise<HttpResult> {
  const transport = new Transport(PATIENCE, options.env);
  try {
    return await new Exchange(transport, new URL(url), options).run();
  } catch (error) {
    options.signal.throwIfAborted();
    throw error instanceof Fault ? error : unreachable(error, options.name, new URL(url));
  } finally {
    transport.close();
  }
}

class Exchange {
  constructor(
    readonly transport: Transport,
    readonly url: URL,
    readonly options: HttpOptions,
  ) {}

  async run(): Promise<HttpResult> {
    const { known } = this.options;
    if (known?.etag !== undefined) {
      const answer = await this.#ask("GET", { "if-none-match": known.etag });
      if (answer.status !== 304) return await this.#take(answer);
      await answer.discard();
      return unchanged(known);
    }
    // A server compares If-Modified-Since as it likes, and says "not modified" of what has gone
    // back to an older file: the time itself and the length are compared here.
    if (known?.lastModified !== undefined && await this.#isSame(known)) return unchanged(known);
    return await this.#take(await this.#ask("GET"));
  }

  async #isSame(known: SourceState): Promise<boolean> {
    const answer = await this.#ask("HEAD");
    await answer.discard();
    return answer.status === 200 && answer.header("last-modified") === known.lastModified &&
      answer.length !== undefined && answer.length === known.size &&
      answer.header("content-encoding") === undefined;
  }

  async #take(answer: Answer): Promise<HttpResult> {
    if (answer.status !== 200) throw await this.#refusal(answer);
    const total = answer.length;
    if (total !== undefined && total > SIZE_LIMIT) {
      answer.destroy();
      throw this.#tooLarge();
    }
    try {
      const { digest, size } = await this.#write(answer);
      return { state: stateOf(answer, digest, size), downloaded: true };
    } finally {
      answer.destroy();
    }
  }

  async #write(answer: Answer): Promise<{ digest: Digest; size: number }> {
    const { write, onBytes, name } = this.options;
    const hash = new Sha256();
    const begun = performance.now();
    let size = 0;
    for await (const chunk of decoded(answer, name)) {
      size += chunk.length;
      if (size > SIZE_LIMIT) throw this.#tooLarge();
      const taken = performance.now() - begun;
      if (taken > SLOWNESS.after && size / taken * 1000 < SLOWNESS.rate) throw this.#tooSlow(size);
      hash.update(chunk);
      write(chunk);
      onBytes?.(chunk.length, answer.length);
    }
    return { digest: hash.digest(), size };
  }

  /** Follows redirects; a temporary failure is tried again. */
  async #ask(method: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    for (let tried = 0;; tried++) {
      const pause = PAUSES[tried];
      try {
        const answer = await this.#follow(method, headers);
        if (pause === undefined || !TEMPORARY.has(answer.status)) return answer;
        answer.destroy();
      } catch (error) {
        if (pause === undefined || (error as { code?: string }).code !== "ECONNRESET") throw error;
      }
      await sleep(pause, this.options.signal);
    }
  }

  async #follow(method: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    let url = withoutExtras(this.url);
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await this.transport.send({
        method,
        url,
        headers: { accept: "*/*", ...headers },
        signal: this.options.signal,
      });
      const location = answer.header("location");
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) {
        return answer;
      }
      await answer.discard();
      url = this.#redirected(url, location);
    }
    throw this.#fault(`It redirects more than ${MOST_REDIRECTS} times`, {
      next: "name the URL that it should lead to",
    });
  }

  #redirected(from: URL, location: string): URL {
    const to = URL.canParse(location, from) ? new URL(location, from) : undefined;
    const isHttp = to?.protocol === "https:" || to?.protocol === "http:";
    if (to === undefined || !isHttp || (from.protocol === "https:" && to.protocol === "http:")) {
      const where = to === undefined ? "nowhere" : isHttp ? redactUrl(to) : to.protocol;
      throw this.#fault(`It redirects from ${from.protocol}//${from.host} to ${where}`, {
        next: "name a URL that stays with https",
      });
    }
    return withoutExtras(to);
  }

  async #refusal(answer: Answer): Promise<Fault> {
    const { status } = answer;
    await answer.discard();
    if (status === 404 || status === 410) {
      return this.#fault(`There is nothing at ${this.options.name} (status ${status})`, {
        next: "correct the URL",
      });
    }
    const isDenied = status === 401 || status === 403;
    return this.#fault(`${this.options.name} answers with status ${status}`, {
      next: isDenied
        ? "name a URL that needs no credentials, or fetch it with a task"
        : status === 429
        ? "wait until the server's rate limit is over"
        : "try again; if it stays so, see what is wrong with the server",
    });
  }

  #tooLarge(): Fault {
    return this.#fault(`${this.options.name} is larger than ${SIZE_LIMIT} bytes`, {
      next: "fetch it with a task, or take a smaller file",
    });
  }

  #tooSlow(size: number): Fault {
    const message = `${this.options.name} comes too slowly: ${size} bytes in ` +
      `${SLOWNESS.after / 1000} s`;
    return unavailableFault(message, { next: "try again, or name another server" });
  }

  #fault(message: string, options: FaultOptions): Fault {
    return new Fault(message, { where: this.url.host, ...options });
  }
}

function unchanged(known: SourceState): HttpResult {
  return { state: known as HttpResult["state"], downloaded: false };
}

/**
 * Validators that tell this body from the next. A time that is not older than the answer may stand
 * for two bodies of one second.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2
 */
function stateOf(answer: Answer, identity: Digest, size: number): HttpResult["state"] {
  const etag = answer.header("etag");
  const lastModified = answer.header("last-modified");
  const age = Date.parse(answer.header("date") ?? "") - Date.parse(lastModified ?? "");
  return {
    identity,
    size,
    ...(etag === undefined || etag === "" ? {} : { etag }),
    ...(lastModified !== undefined && age >= 1000 ? { lastModified } : {}),
  };
}

/** A fragment is never sent; a user's name and password are nobody's business. */
function withoutExtras(url: URL): URL {
  const plain = new URL(url);
  plain.hash = "";
  plain.username = "";
  plain.password = "";
  return plain;
}

function unreachable(error: unknown, name: string, { host }: URL): Fault {
  const { code = "", message } = error as { code?: string; message: string };
  if (error instanceof Deno.errors.PermissionDenied || code === "ENOSPC") return asFault(error);
  const why = error instanceof TimeoutError
    ? message
    : code === "ENOTFOUND" || code === "EAI_AGAIN"
    ? `the name ${host} is not known`
    : code === "ECONNREFUSED"
    ? `nothing listens at ${host}`
    : code === "ECONNRESET"
    ? "the connection broke"
    : message;
  return unavailableFault(`${name} cannot be fetched: ${why}`, {
    next: "check the network and HTTPS_PROXY, or pin it with `images pin` where it can be reached",
    cause: error,
  });
}
