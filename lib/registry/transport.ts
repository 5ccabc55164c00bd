/**
 * HTTP exchanges over `node:http`, which keeps memory flat while a body streams and delivers an
 * answer that comes before the body has gone; `fetch` does neither.
 */

import http from "node:http";
import https from "node:https";
import tls from "node:tls";
import { Answer } from "./answer.ts";
import { authoritiesOf } from "./authorities.ts";
import { Flow, sendBody } from "./body.ts";
import { Deadline, WholeDeadline } from "./deadline.ts";
import { isLoopback } from "./host.ts";

/** How long is waited for what, in milliseconds. */
export interface Patience {
  /** Until a connection stands, TLS included. */
  readonly connect: number;
  /** Until the next bytes go or come. */
  readonly idle: number;
  /** Until the answer, once the request has gone. */
  readonly reply: number;
  /** The most of that for what brings a blob: registries are slow to commit large ones. */
  readonly answer: number;
  /** Until a document is here whole, for which slow lines get longer. */
  readonly document: number;
  /** Until a refusal's text is here whole: what has come by then counts. */
  readonly refusal: number;
}

/** The slowest line on which a document's answer is waited for to its end, in bytes a millisecond. */
const SLOWEST_LINE = 16;

/** The slowest storage whose commit of a blob is waited for, in bytes a millisecond. */
const SLOWEST_COMMIT = 4_096;

/** The environment, as `Deno.env.toObject()` gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One request. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream's chunks are taken over: those that have a buffer to themselves are gone once sent. */
  readonly body?: Uint8Array | ReadableStream<Uint8Array>;
  /** The body's length in bytes; chunked encoding where it is not known. */
  readonly length?: number;
  /** Told of the body's bytes as they go. */
  readonly onBytes?: (bytes: number) => void;
  /** Size of the blob that it brings or commits, in bytes, whose answer may take long. */
  readonly blobSize?: number;
  /** Its answer is a document, which has a time as a whole. @default false */
  readonly isDocument?: boolean;
  /** Told when all of it has gone. */
  readonly onSent?: () => void;
  /** Begun while nothing more of the body is taken, and ended then. */
  readonly watch?: () => Disposable;
  readonly signal: AbortSignal;
}

const IDLE = "nothing moves over the connection";

/** Errors that say nothing of what the other side speaks. */
const UNREACHABLE = [
  ...["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"],
];

/** Sends requests, over connections that are kept for the next. */
export class Transport {
  readonly #patience: Patience;
  readonly #env: Environment;
  readonly #agents = new Map<string, http.Agent>();

  /** @param env for proxies and certificates. */
  constructor(patience: Patience, env: Environment) {
    this.#patience = patience;
    this.#env = env;
  }

  /**
   * Sends a request; settles when the answer's headers are here.
   *
   * @throws {BodyFailure} when the request's own body could not be read.
   * @throws {Error} of the network, with its code.
   */
  send(request: Request): Promise<Answer> {
    return this.#exchange(request, this.#agent(request));
  }

  #exchange(request: Request, agent: http.Agent): Promise<Answer> {
    const { url, signal } = request;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = (url.protocol === "https:" ? https : http).request(url, {
      method: request.method,
      headers: headersOf(request),
      agent,
    });
    const flow = new Flow(outgoing);
    let incoming: http.IncomingMessage | undefined;
    const fail = (error: Error) => {
      finish();
      reject(error);
      outgoing.destroy(error);
      incoming?.destroy(error);
    };
    const connecting = new Deadline(fail);
    const moving = new Deadline(fail);
    const whole = new WholeDeadline(fail);
    const abort = () => fail(asError(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    const finish = () => {
      flow.stop();
      connecting.end();
      moving.end();
      whole.end();
      signal.removeEventListener("abort", abort);
    };
    const { connect, idle, reply, answer, document } = this.#patience;
    connecting.set(connect, "no connection", true);
    outgoing.on("socket", (socket) => {
      const connected = () => connecting.end();
      if (socket.connecting) {
        socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
      } else connected();
    });
    outgoing.on("error", (error) => fail(markReused(error, outgoing)));
    outgoing.on("response", (message) => {
      incoming = message;
      flow.stop();
      // Who reads a body slowly is not kept waiting by the other side.
      moving.clear();
      if (request.isDocument) whole.start(document);
      message.on("close", finish);
      const streamed = request.body instanceof ReadableStream;
      const progress = {
        waiting: () => moving.set(idle, IDLE, true),
        came: (bytes: number) => {
          moving.clear();
          whole.advance(bytes / SLOWEST_LINE);
        },
      };
      resolve(new Answer(url, message, outgoing, { streamed, progress, patience: this.#patience }));
    });
    let sent = 0;
    const onBytes = (bytes: number) => {
      sent += bytes;
      request.onBytes?.(bytes);
    };
    sendBody(outgoing, { ...request, onBytes }, flow, {
      waiting: () => moving.set(idle, IDLE, true),
      preparing: () => moving.clear(),
      blocked: () => request.watch?.(),
      sent: () => {
        const commit = Math.max(sent, request.blobSize ?? 0) / SLOWEST_COMMIT;
        const more = request.blobSize === undefined ? 0 : commit;
        moving.set(Math.min(reply + more, answer), "no answer", true);
        request.onSent?.();
      },
    }).catch((error) => fail(asError(error)));
    return promise;
  }

  /**
   * Says whether a host speaks TLS, whoever vouches for its certificate. Nothing is sent to one that
   * does not.
   *
   * @throws {Error} when it cannot be reached.
   */
  async speaksTls(base: URL, signal: AbortSignal): Promise<boolean> {
    const agent = new https.Agent({ ...this.#way(base), rejectUnauthorized: false });
    try {
      const url = new URL("/v2/", base);
      const answer = await this.#exchange({ method: "HEAD", url, headers: {}, signal }, agent);
      answer.destroy();
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (UNREACHABLE.includes((error as { code?: string }).code ?? "")) throw error;
      return false;
    } finally {
      agent.destroy();
    }
  }

  /** Ends all connections that are kept. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  /**
   * Connections are kept by origin. A stream gets one of its own: it cannot be sent twice, should a
   * kept one turn out to be closed; and Deno keeps what goes over a kept one, to send it again.
   */
  #agent({ url, body }: Request): http.Agent {
    const keepAlive = !(body instanceof ReadableStream);
    const name = `${url.origin} ${keepAlive}`;
    const known = this.#agents.get(name);
    if (known !== undefined) return known;
    const options = { keepAlive, ...this.#way(url) };
    const agent = url.protocol === "https:"
      ? new https.Agent({ ...options, ...trust(url.host, this.#env) })
      : new http.Agent(options);
    this.#agents.set(name, agent);
    return agent;
  }

  /** This machine is not asked for through a proxy. */
  #way(url: URL): { proxyEnv?: Environment } {
    return isLoopback(url) ? {} : { proxyEnv: this.#env };
  }
}

/** A host's own authorities are trusted besides the usual ones. */
function trust(host: string, env: Environment): { ca?: string[] } {
  const own = authoritiesOf(host, env);
  return own.length === 0 ? {} : { ca: [...tls.getCACertificates("default"), ...own] };
}

function headersOf({ method, headers, body, length }: Request): Record<string, string> {
  const size = body instanceof Uint8Array ? body.length : length;
  const hasLength = size !== undefined || (body === undefined && !/^(GET|HEAD)$/.test(method));
  return {
    "user-agent": "images",
    "accept-encoding": "identity",
    ...headers,
    ...(hasLength ? { "content-length": String(size ?? 0) } : {}),
  };
}

/** A kept connection may have been closed by the other side: that says nothing of the request. */
function markReused(error: Error, outgoing: http.ClientRequest): Error {
  return outgoing.reusedSocket ? Object.assign(error, { reusedSocket: true }) : error;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
