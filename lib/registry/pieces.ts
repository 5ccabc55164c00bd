/** Sending a blob in pieces, for registries and proxies that do not take it in one. */

import { type Endpoint, UPLOADS } from "./endpoint.ts";
import { isTemporary, RegistryFault } from "./faults.ts";

/** Size of a piece, in bytes: GHCR answers 416 to more. */
const PIECE = 4 * 1024 * 1024;

/** The most that a registry can ask for, in bytes: a piece is kept until it is stored. */
const LARGEST_PIECE = 64 * 1024 * 1024;

/** An upload that takes pieces. */
export interface PieceTarget {
  /** The least that a piece may have, the last one apart, in bytes. */
  readonly least: number;
  /** Sends a piece; answers with the bytes that are stored by then, where the registry tells. */
  send(bytes: Uint8Array, start: number): Promise<number | undefined>;
  /** The bytes that are stored. */
  stored(): Promise<number>;
}

/** Sends a stream piece by piece; what a piece lacks after a failure is sent again. */
export async function sendPieces(
  target: PieceTarget,
  stream: ReadableStream<Uint8Array>,
  endpoint: Endpoint,
  onBytes: (bytes: number) => void,
): Promise<void> {
  let start = 0;
  const size = Math.min(LARGEST_PIECE, Math.max(PIECE, target.least));
  for await (const piece of piecesOf(stream, size)) {
    await sendPiece(target, piece, start, endpoint);
    onBytes(piece.length);
    start += piece.length;
  }
}

async function sendPiece(
  target: PieceTarget,
  piece: Uint8Array,
  start: number,
  endpoint: Endpoint,
): Promise<void> {
  const end = start + piece.length;
  let stored = start;
  const attempts = endpoint.pacer.attempts(UPLOADS);
  while (stored < end) {
    let now: number;
    try {
      attempts.begin();
      now = await target.send(piece.subarray(stored - start), stored) ?? end;
    } catch (error) {
      if (!isTemporary(error) || !attempts.mayRetry(error)) throw error;
      await attempts.pause(error, endpoint.signal);
      now = await target.stored();
      if (now === stored) continue;
    }
    if (now <= stored || now > end) throw astray(endpoint.host, now, stored, end);
    stored = now;
  }
}

/** A registry that has other bytes than it was sent must not be followed. */
function astray(host: string, now: number, stored: number, end: number): RegistryFault {
  const message = `The registry says it has ${now} bytes of a blob, of which ${stored} to ${end}` +
    " were sent";
  return new RegistryFault(message, { temporary: true }, {
    where: host,
    next: "try again; if it stays so, look at the registry's own log",
  });
}

/** The content in pieces of one size, the last one shorter. */
async function* piecesOf(
  content: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(size);
  let used = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - used);
      piece.set(part, used);
      used += part.length;
      at += part.length;
      if (used < size) continue;
      yield piece;
      piece = new Uint8Array(size);
      used = 0;
    }
  }
  if (used > 0) yield piece.subarray(0, used);
}
