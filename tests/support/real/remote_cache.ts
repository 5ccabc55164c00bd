/**
 * A remote cache as build tools speak to one over gRPC: actions' results, and blobs by digest as
 * byte streams. Everything is in memory.
 *
 * @see https://github.com/bazelbuild/remote-apis
 */

import http2 from "node:http2";
import type { Socket } from "node:net";
import { bytesOf, concat, message, readFields, textOf } from "./protobuf.ts";

/** A running cache. */
export interface RemoteCache extends AsyncDisposable {
  /** e.g. `grpc://127.0.0.1:40123`. */
  readonly url: string;
  /** Blobs by the hex of their digest; what a test takes out is gone. */
  readonly blobs: Map<string, Uint8Array>;
  /** How many blobs were read. */
  reads(): number;
}

/** Answers of a call, or its status where it has none. */
type Answer = readonly Uint8Array[] | { readonly status: number };

const NOT_FOUND = { status: 5 };
const UNIMPLEMENTED = { status: 12 };

/** Starts a cache on loopback. */
export async function startRemoteCache(): Promise<RemoteCache> {
  const state = new State();
  const server = http2.createServer();
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("stream", (stream, headers) => {
    const pieces: Uint8Array[] = [];
    stream.on("error", () => {});
    stream.on("data", (piece: Uint8Array) => pieces.push(piece));
    stream.on("end", () => reply(stream, state.answer(String(headers[":path"]), framesOf(pieces))));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `grpc://127.0.0.1:${port}`,
    blobs: state.blobs,
    reads: () => state.reads,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A session that says goodbye while streams of it end has ended Deno 2.9.6 itself, in nghttp2.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

class State {
  readonly blobs = new Map<string, Uint8Array>();
  readonly #results = new Map<string, Uint8Array>();
  reads = 0;

  answer(path: string, frames: readonly Uint8Array[]): Answer {
    const [first = new Uint8Array()] = frames;
    const request = readFields(first);
    switch (path.slice(path.lastIndexOf("/") + 1)) {
      case "GetCapabilities":
        return [CAPABILITIES];
      case "GetActionResult": {
        const result = this.#results.get(hashOf(bytesOf(request, 2)));
        return result === undefined ? NOT_FOUND : [result];
      }
      case "UpdateActionResult":
        this.#results.set(hashOf(bytesOf(request, 2)), bytesOf(request, 3));
        return [bytesOf(request, 3)];
      case "FindMissingBlobs": {
        const asked = (request.get(2) ?? []).filter((each) => typeof each !== "number");
        const missing = asked.filter((digest) => !this.blobs.has(hashOf(digest)));
        return [message(...missing.map((digest) => [2, digest] as const))];
      }
      case "Read":
        return this.#read(textOf(request, 1), Number(request.get(2)?.[0] ?? 0));
      case "Write": {
        const data = concat(frames.map((frame) => bytesOf(readFields(frame), 10)));
        this.blobs.set(blobOf(textOf(request, 1)), data);
        return [message([1, data.length])];
      }
      default:
        return UNIMPLEMENTED;
    }
  }

  #read(name: string, offset: number): Answer {
    const blob = this.blobs.get(blobOf(name));
    if (blob === undefined) return NOT_FOUND;
    this.reads += 1;
    const answers: Uint8Array[] = [];
    for (let at = offset; at < blob.length; at += CHUNK) {
      answers.push(message([10, blob.subarray(at, at + CHUNK)]));
    }
    return answers;
  }
}

/** The most bytes of a blob in one answer. */
const CHUNK = 1 << 16;

/** SHA-256, results of actions are taken, version 2.0 of the protocol. */
const CAPABILITIES = message(
  [1, message([1, 1], [2, message([1, 1])], [4, 4 << 20])],
  [4, message([1, 2])],
  [5, message([1, 2])],
);

/** The hex of a digest's message. */
function hashOf(digest: Uint8Array): string {
  return textOf(readFields(digest), 1);
}

/** The hex in `blobs/HEX/SIZE` or `uploads/UUID/blobs/HEX/SIZE`. */
function blobOf(name: string): string {
  return /\bblobs\/([0-9a-f]+)\/\d+/.exec(name)?.[1] ?? "";
}

/** Messages, each behind a flag and its length in four bytes. */
function framesOf(pieces: readonly Uint8Array[]): Uint8Array[] {
  const bytes = concat(pieces);
  const view = new DataView(bytes.buffer);
  const frames: Uint8Array[] = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const length = view.getUint32(at + 1);
    frames.push(bytes.subarray(at + 5, at += 5 + length));
  }
  return frames;
}

function reply(stream: http2.ServerHttp2Stream, answer: Answer): void {
  const isFailure = "status" in answer;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": String(isFailure ? answer.status : 0) });
  });
  stream.end(concat(isFailure ? [] : answer.flatMap(framed)));
}

function framed(each: Uint8Array): Uint8Array[] {
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(1, each.length);
  return [head, each];
}
