/** Sending a request's body piece by piece, as fast as the other side takes it. */

import type { ClientRequest } from "node:http";
import { Fault } from "../model/errors.ts";
import { release } from "../oci/release.ts";
import type { Request } from "./transport.ts";

/** The request's own body could not be read: the registry has no part in it. */
export class BodyFailure extends Error {
  constructor(cause: unknown) {
    super("the body cannot be read", { cause });
  }
}

/** Told of how the sending goes. */
export interface Progress {
  /** The other side must take what was written. */
  waiting(): void;
  /** The other side takes no more for now; what is given back ends that. */
  blocked(): Disposable | undefined;
  /** Our own side must have more to write. */
  preparing(): void;
  /** All was written. */
  sent(): void;
}

/**
 * Sends the body and ends the request. An answer or an end that comes before stops it.
 *
 * @throws {BodyFailure} when the body fails or is not as long as was said.
 */
export async function sendBody(
  outgoing: ClientRequest,
  { body, length, onBytes }: Request,
  flow: Flow,
  progress: Progress,
): Promise<void> {
  if (!(body instanceof ReadableStream)) {
    outgoing.end(body);
    if (body !== undefined) onBytes?.(body.length);
    progress.sent();
    return;
  }
  let sent = 0;
  const reader = body.getReader();
  try {
    while (!flow.stopped) {
      progress.preparing();
      const { done, value } = await read(reader);
      if (flow.stopped) return;
      sent += value?.length ?? 0;
      if (length !== undefined && (sent > length || (done && sent < length))) {
        throw wrongLength(length, sent);
      }
      if (done) {
        outgoing.end();
        progress.sent();
        return;
      }
      progress.waiting();
      const { length: count } = value;
      // What could not be sent may still be in a queue.
      const written = (error?: Error | null) => error ?? release(value);
      if (!outgoing.write(value, written)) {
        using _blocked = progress.blocked();
        await flow.drained();
      }
      onBytes?.(count);
    }
  } finally {
    // Of a body that has ended nothing is left to cancel.
    reader.cancel().catch(() => {});
  }
}

/** Whether more may be written to a request, and when. */
export class Flow {
  #stopped = false;
  #wake = () => {};

  constructor(outgoing: ClientRequest) {
    outgoing.on("drain", () => this.#wake());
  }

  /** Nothing more is to be written. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Ends the writing. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Settles when more may be written, or nothing more is to be. */
  async drained(): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (error) {
    throw new BodyFailure(error);
  }
}

function wrongLength(wanted: number, got: number): BodyFailure {
  const relation = got > wanted ? "more than" : `${got} instead of`;
  return new BodyFailure(
    new Fault(`The blob to upload has ${relation} the ${wanted} bytes it should have`, {
      next: "build the image again with --force",
    }),
  );
}
