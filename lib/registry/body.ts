/** Sending a request's body piece by piece, as fast as the other side takes it. */

import type { ClientRequest } from "node:http";
import { Fault } from "../model/errors.ts";
import type { Request } from "./transport.ts";

/** The request's own body could not be read: the registry has no part in it. */
export class BodyFailure extends Error {
  constructor(cause: unknown) {
    super("the body cannot be read", { cause });
  }
}

/**
 * Sends the body and ends the request. An answer or an end that comes before stops it.
 *
 * @param progress told after each piece, with true when all has gone.
 * @throws {BodyFailure} when the body fails or is not as long as was said.
 */
export async function sendBody(
  outgoing: ClientRequest,
  { body, length, onBytes }: Request,
  progress: (sent: boolean) => void,
): Promise<void> {
  if (!(body instanceof ReadableStream)) {
    outgoing.end(body);
    if (body !== undefined) onBytes?.(body.length);
    progress(true);
    return;
  }
  const flow = new Flow(outgoing);
  let sent = 0;
  const reader = body.getReader();
  try {
    while (!flow.stopped) {
      const { done, value } = await read(reader);
      if (done) {
        if (length !== undefined && sent !== length) throw wrongLength(length, sent);
        outgoing.end();
        progress(true);
        return;
      }
      sent += value.length;
      if (length !== undefined && sent > length) throw wrongLength(length, sent);
      if (flow.stopped) break;
      if (!outgoing.write(value)) await flow.drained();
      onBytes?.(value.length);
      progress(false);
    }
  } finally {
    // Of a body that has ended nothing is left to cancel.
    reader.cancel().catch(() => {});
  }
}

/** Whether more may be written. */
class Flow {
  stopped = false;
  #wake = () => {};

  constructor(outgoing: ClientRequest) {
    const stop = () => {
      this.stopped = true;
      this.#wake();
    };
    outgoing.on("drain", () => this.#wake());
    outgoing.once("response", stop);
    outgoing.once("close", stop);
  }

  async drained(): Promise<void> {
    if (this.stopped) return;
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
