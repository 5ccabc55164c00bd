/** A loopback web server whose answers a test decides. */

/** What one path answers. */
export type Answerer = (request: Request) => Response | Promise<Response>;

/** A running server. */
export class WebServer implements AsyncDisposable {
  /** `METHOD path` of every request, in order. */
  readonly requests: string[] = [];
  /** Headers of every request, in order. */
  readonly headers: Headers[] = [];
  readonly #paths = new Map<string, Answerer>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(listen, async (request) => {
      const { pathname } = new URL(request.url);
      this.requests.push(`${request.method} ${pathname}`);
      this.headers.push(request.headers);
      const answer = this.#paths.get(pathname);
      return await answer?.(request) ?? new Response("nothing here", { status: 404 });
    });
  }

  /** Host and port. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** The URL of a path. */
  url(path: string): string {
    return `http://${this.host}${path}`;
  }

  /** Lets a path answer. */
  answer(path: string, answer: Answerer): void {
    this.#paths.set(path, answer);
  }

  /** Lets a path serve a text with these headers; what asks for a known ETag gets 304. */
  serve(path: string, text: string | Uint8Array, headers: Record<string, string> = {}): void {
    this.answer(path, (request) => {
      const isKnown = headers.etag !== undefined &&
        request.headers.get("if-none-match") === headers.etag;
      if (isKnown) return new Response(null, { status: 304, headers });
      const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text.slice();
      return new Response(request.method === "HEAD" ? null : bytes, {
        headers: { "content-length": String(bytes.length), ...headers },
      });
    });
  }

  /** Takes the requests that came since the last call. */
  take(): string[] {
    this.headers.length = 0;
    return this.requests.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
