/** Bodies that a server compresses for the way although nobody asked for it. */

import { Fault } from "../model/errors.ts";
import type { Answer } from "../registry/answer.ts";

const FORMATS: Readonly<Record<string, CompressionFormat>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
};

/**
 * The body as it was before it was encoded for the way.
 *
 * @throws {Fault} for an encoding that is not known here.
 */
export function decoded(answer: Answer, name: string): AsyncIterable<Uint8Array> {
  const encoding = answer.header("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "") return answer.body();
  const format = Object.hasOwn(FORMATS, encoding) ? FORMATS[encoding] : undefined;
  if (format === undefined) {
    throw new Fault(`${name} comes with the content encoding "${encoding}"`, {
      next: "let the server send it as it is, or with gzip",
    });
  }
  const stream = ReadableStream.from(answer.body()) as ReadableStream<Uint8Array<ArrayBuffer>>;
  return stream.pipeThrough(new DecompressionStream(format));
}
