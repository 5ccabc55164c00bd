/** Reading tar, as it comes from anywhere: GNU long names, PAX, hard links; plain or compressed. */

import { createGunzip, createZstdDecompress } from "node:zlib";
import { Duplex } from "node:stream";
import { createTarDecoder } from "modern-tar";
import { Fault } from "../model/errors.ts";
import { BLOCK, padded } from "./tar_header.ts";

/** An entry of an archive that is being read. */
export interface TarMember {
  /** As it is written in the archive. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "other";
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size of the content, in bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly linkTarget?: string;
  /** The content; it is passed over if the next member is asked for first. */
  content(): AsyncIterable<Uint8Array>;
}

const TYPES: Record<string, TarMember["type"]> = {
  file: "file",
  "contiguous-file": "file",
  directory: "directory",
  symlink: "symlink",
  link: "hardlink",
};

/**
 * Reads an archive, member by member.
 *
 * @throws {Fault} when it is damaged or cut off.
 */
export async function* readTar(stream: ReadableStream<Uint8Array>): AsyncGenerator<TarMember> {
  const decoder = createTarDecoder({ strict: true });
  const end = new EndOfArchive();
  const members = stream.pipeThrough(end.filled())
    .pipeThrough(decoder as TransformStream<Uint8Array, Decoded>);
  let last = 0;
  try {
    for await (const { header, body } of members) {
      let taken = false;
      last = header.size;
      yield {
        path: header.name,
        type: TYPES[header.type ?? "file"] ?? "other",
        mode: header.mode ?? 0o644,
        uid: header.uid ?? 0,
        gid: header.gid ?? 0,
        size: header.size,
        mtime: Math.floor((header.mtime?.getTime() ?? 0) / 1000),
        ...(header.linkname ? { linkTarget: header.linkname } : {}),
        content: () => {
          taken = true;
          return intact(body);
        },
      };
      if (!taken) await body.cancel();
    }
  } catch (cause) {
    throw damaged(cause);
  }
  if (end.cuts(last)) throw damaged(new Error("it is cut off"));
}

/** The end of an archive: umoci, for one, writes neither the last file's padding nor anything after. */
class EndOfArchive {
  #bytes = 0;

  /** The archive with its last block filled up, and an end; what follows another end is ignored. */
  filled(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (chunk, controller) => {
        this.#bytes += chunk.length;
        controller.enqueue(chunk);
      },
      flush: (controller) => {
        const missing = padded(this.#bytes) - this.#bytes;
        controller.enqueue(new Uint8Array(missing + 2 * BLOCK));
      },
    });
  }

  /** Says whether what was filled up belongs to the content of the last file, of this size. */
  cuts(size: number): boolean {
    const used = this.#bytes % BLOCK;
    return used !== 0 && (size % BLOCK === 0 || used < size % BLOCK);
  }
}

async function* intact(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw damaged(cause);
  }
}

function damaged(cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  return new Fault(`Cannot read the archive: ${(cause as Error).message}`, { cause });
}

interface Decoded {
  readonly header: {
    readonly name: string;
    readonly type?: string;
    readonly mode?: number;
    readonly uid?: number;
    readonly gid?: number;
    readonly size: number;
    readonly mtime?: Date;
    readonly linkname?: string;
  };
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * The uncompressed bytes of a layer. How it is compressed is told by its first bytes, since media
 * types are not always right; the media type is for errors.
 */
export function decompress(
  stream: ReadableStream<Uint8Array>,
  mediaType: string,
): ReadableStream<Uint8Array> {
  return ReadableStream.from(decompressed(stream, mediaType));
}

async function* decompressed(
  stream: ReadableStream<Uint8Array>,
  mediaType: string,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const { value: first } = await reader.read();
  if (first === undefined) return;
  const whole = ReadableStream.from(rejoined(first, reader));
  const decoder = decoderFor(first);
  if (decoder === undefined) {
    yield* whole;
    return;
  }
  const { readable, writable } = Duplex.toWeb(decoder);
  const plain = whole.pipeThrough(
    { readable, writable } as ReadableWritablePair<Uint8Array, Uint8Array>,
  );
  try {
    yield* plain;
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault(`Cannot decompress the layer: ${(cause as Error).message}`, {
      where: mediaType,
      cause,
    });
  }
}

function decoderFor(first: Uint8Array): Duplex | undefined {
  if (first[0] === 0x1f && first[1] === 0x8b) return createGunzip();
  const isZstd = first[0] === 0x28 && first[1] === 0xb5 && first[2] === 0x2f && first[3] === 0xfd;
  return isZstd ? createZstdDecompress() : undefined;
}

async function* rejoined(
  first: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
