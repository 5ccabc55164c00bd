/**
 * A registry of our own on loopback, in memory, that fails when it is told to: it speaks the
 * distribution protocol, checks everything it stores, and remembers what it was asked.
 */

import http from "node:http";
import { Buffer } from "node:buffer";
import type { AddressInfo, Socket } from "node:net";
import type { TokenServer } from "../tokens.ts";
import type { Interference, Kind } from "./interference.ts";
import { handle, type Quirks, type Reply, type Route, route } from "./protocol.ts";
import { MemoryStore } from "./store.ts";

/** How a registry is set up. */
export interface FaultyRegistrySettings {
  /** Where it listens. @default 127.0.0.1 */
  readonly address?: string;
  readonly quirks?: Quirks;
  /** User and password it wants. */
  readonly basic?: { readonly user: string; readonly password: string };
  /** Whose tokens it wants. */
  readonly tokens?: TokenServer;
  /** The challenge of a refusal. @default the one that fits */
  readonly challenge?: string;
  /** Chooses what befalls a request, in a campaign or always. */
  readonly campaign?: (kind: Kind, request: CampaignRequest) => Interference | undefined;
}

/** A request of which a campaign decides. */
export interface CampaignRequest extends Route {
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** A request that was answered. */
export interface Logged {
  readonly kind: Kind;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Length of the body that arrived, in bytes. */
  readonly received: number;
  /** Undefined where the connection was broken. */
  readonly status?: number;
}

/** A running registry. */
export class FaultyRegistry implements AsyncDisposable {
  readonly store: MemoryStore = new MemoryStore();
  /** The requests so far, in the order of their ends. */
  readonly log: Logged[] = [];
  readonly #settings: FaultyRegistrySettings;
  readonly #server: http.Server;
  readonly #planned = new Map<Kind, Interference[]>();
  readonly #sockets = new Set<Socket>();
  readonly #used = new WeakSet<Socket>();
  #connections = 0;
  #running = 0;
  #most = 0;
  #onRunning = () => {};

  private constructor(settings: FaultyRegistrySettings) {
    this.#settings = settings;
    this.#server = http.createServer((request, response) => {
      this.#most = Math.max(this.#most, ++this.#running);
      this.#onRunning();
      response.once("close", () => this.#running -= 1);
      const { socket } = request;
      if (!this.#used.has(socket)) this.#connections += 1;
      this.#used.add(socket);
      this.#serve(request, response, socket).catch(() => socket.destroy());
    });
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      // A client that breaks off is part of the game.
      socket.on("error", () => {});
    });
  }

  /** Starts a registry that holds nothing. */
  static async start(settings: FaultyRegistrySettings = {}): Promise<FaultyRegistry> {
    const registry = new FaultyRegistry(settings);
    await new Promise<void>((resolve) =>
      registry.#server.listen(0, settings.address ?? "127.0.0.1", resolve)
    );
    return registry;
  }

  /** e.g. `localhost:40123`. */
  get host(): string {
    const { family, port } = this.#server.address() as AddressInfo;
    return family === "IPv6" ? `[::1]:${port}` : `localhost:${port}`;
  }

  /** How many connections requests came over. */
  get connections(): number {
    return this.#connections;
  }

  /** The most requests that were being answered at once. */
  get mostAtOnce(): number {
    return this.#most;
  }

  /** Waits until so many requests are being answered at once. */
  async reached(count: number): Promise<void> {
    if (this.#running >= count) return;
    await new Promise<void>((resolve) => {
      this.#onRunning = () => {
        if (this.#running >= count) resolve();
      };
    });
  }

  /** Lets something happen to the next requests of a kind, one after the other. */
  interfere(kind: Kind, ...planned: readonly Interference[]): void {
    this.#planned.set(kind, [...this.#planned.get(kind) ?? [], ...planned]);
  }

  /** What was planned for a kind and has not happened; it does not happen any more. */
  takePlanned(kind: Kind): Interference[] {
    const planned = this.#planned.get(kind) ?? [];
    this.#planned.delete(kind);
    return planned;
  }

  /** Nothing that was planned happens any more. */
  calm(): void {
    this.#planned.clear();
  }

  /** How many requests of a kind there were. */
  count(...kinds: readonly Kind[]): number {
    return this.log.filter(({ kind }) => kinds.includes(kind)).length;
  }

  /** The kinds of the requests so far. */
  kinds(): Kind[] {
    return this.log.map(({ kind }) => kind);
  }

  /** Ends all connections. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends all connections, and the registry. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.dropConnections();
    await closed;
  }

  async #serve(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    socket: Socket,
  ): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${this.host}`);
    const method = request.method ?? "GET";
    const asked = route(method, url);
    const { kind } = asked;
    const headers = request.headers as Record<string, string | undefined>;
    const happens = this.#planned.get(kind)?.shift() ??
      this.#settings.campaign?.(kind, { ...asked, headers }) ?? {};
    const { range: _, ...rangeless } = headers;
    const path = `${url.pathname}${url.search}`;
    const note = (received: number, status?: number) =>
      this.log.push({
        ...{ kind, method, path, headers, received },
        ...(status === undefined ? {} : { status }),
      });
    await happens.wait?.();
    if (happens.reset === "at once") {
      note(0);
      return void socket.destroy();
    }
    const unauthorized = this.#challenge(headers.authorization, asked, url);
    if (happens.early || unauthorized !== undefined) {
      const reply = unauthorized ?? replyOf(happens);
      note(0, reply.status);
      if (!/^(?:GET|HEAD|DELETE)$/.test(method)) response.shouldKeepAlive = false;
      return this.#send(response, method, reply, happens);
    }
    const limit = typeof happens.reset === "object" ? happens.reset.afterReading : Infinity;
    const body = await read(request, limit);
    if (body === undefined) {
      note(limit);
      return void socket.destroy();
    }
    const isHandled = (happens.answer === undefined && happens.reset === undefined) ||
      happens.handled;
    const handled = isHandled
      ? handle(this.store, this.#settings.quirks ?? {}, {
        method,
        url,
        headers: happens.ignoresRange ? rangeless : headers,
        body,
      })
      : undefined;
    if (happens.reset !== undefined) {
      note(body.length);
      return void socket.destroy();
    }
    const reply = happens.answer === undefined ? handled! : replyOf(happens);
    note(body.length, reply.status);
    this.#send(response, method, reply, happens);
  }

  /** The refusal of a request that may not be made. */
  #challenge(header: string | undefined, asked: Route, url: URL): Reply | undefined {
    const { basic, tokens, challenge } = this.#settings;
    const refuse = (fitting: string) => ({
      status: 401,
      headers: { "www-authenticate": challenge ?? fitting, "content-type": "application/json" },
      body: new TextEncoder().encode('{"errors":[{"code":"UNAUTHORIZED"}]}'),
    });
    if (basic !== undefined) {
      const expected = `Basic ${btoa(`${basic.user}:${basic.password}`)}`;
      return header === expected ? undefined : refuse('Basic realm="test"');
    }
    if (tokens === undefined) return undefined;
    const actions = /-(?:head|get)$|ping/.test(asked.kind) ? ["pull"] : ["pull", "push"];
    const token = header?.replace(/^Bearer /, "") ?? "";
    const wanted: [string, string][] = actions.map((action) => [asked.repository, action]);
    const from = url.searchParams.get("from");
    if (from !== null) wanted.push([from, "pull"]);
    if (wanted.every(([name, action]) => tokens.allows(token, name, action))) return undefined;
    const scope = `repository:${asked.repository}:${actions.join(",")}`;
    return refuse(`Bearer realm="${tokens.realm}",service="${tokens.service}",scope="${scope}"`);
  }

  #send(
    response: http.ServerResponse,
    method: string,
    { status, headers, body = new Uint8Array() }: Reply,
    happens: Interference,
  ): void {
    const bytes = happens.change?.(body) ?? body;
    const all = {
      "content-length": String(bytes.length),
      ...headers,
      ...happens.headers,
    };
    const entries = Object.entries(all).filter(([, value]) => value !== undefined);
    response.writeHead(status, Object.fromEntries(entries) as Record<string, string>);
    if (happens.truncate !== undefined && happens.truncate < bytes.length) {
      response.write(bytes.subarray(0, happens.truncate), () => response.destroy());
      return;
    }
    if (happens.stall !== undefined) {
      response.write(bytes.subarray(0, happens.stall));
      return;
    }
    if (happens.drip !== undefined && method !== "HEAD") return drip(response, bytes, happens.drip);
    response.end(method === "HEAD" ? undefined : bytes);
  }
}

/** Sends a body byte for byte, as long as somebody takes it. */
function drip(response: http.ServerResponse, bytes: Uint8Array, pause: number): void {
  let sent = 0;
  response.write(bytes.subarray(0, ++sent));
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, ++sent));
    if (sent >= bytes.length) response.end();
  }, pause);
  response.once("close", () => clearInterval(timer));
}

function replyOf({ answer }: Interference): Reply {
  const { status = 500, headers = {}, body = "" } = answer ?? {};
  return { status, headers: { ...headers }, body: new TextEncoder().encode(body) };
}

/** The body, or undefined where it is longer than is to be read. */
async function read(
  request: http.IncomingMessage,
  limit: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) return undefined;
  }
  return new Uint8Array(Buffer.concat(chunks));
}
