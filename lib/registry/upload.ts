/** One attempt at uploading a blob: a place to upload to, the bytes, and the commit. */

import type { Digest } from "../model/digest.ts";
import { Sha256 } from "../oci/sha256.ts";
import type { Answer } from "./answer.ts";
import { type Endpoint, UPLOADS } from "./endpoint.ts";
import type { Question } from "./question.ts";
import { isTemporary, RegistryFault } from "./faults.ts";
import { sendPieces } from "./pieces.ts";
import { pullScope, pushScope } from "./scope.ts";

/** Opens a blob's bytes, from the beginning each time; a stream's chunks are taken over. */
export type OpenBlob = () => Promise<ReadableStream<Uint8Array>> | Uint8Array;

/** What was sent. */
export interface Sent {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

const ACTION = "upload a blob";

/** How long a registry may take to forget an upload, in milliseconds. */
const FAREWELL = 2_000;

/** Statuses of a commit. */
const COMMITTED = [200, 201, 204];

/** Statuses of bytes that were taken. */
const TAKEN = [200, 201, 202, 204];

/** An upload that was begun, and where it goes on. */
export class Upload {
  readonly #endpoint: Endpoint;
  readonly #repository: string;
  /** The least that a piece may have, in bytes. */
  readonly #leastPiece: number;
  #location: URL;

  private constructor(
    endpoint: Endpoint,
    repository: string,
    location: URL,
    leastPiece: number,
  ) {
    this.#endpoint = endpoint;
    this.#repository = repository;
    this.#location = location;
    this.#leastPiece = leastPiece;
  }

  /** Begins an upload. */
  static async begin(endpoint: Endpoint, repository: string): Promise<Upload> {
    const answer = await endpoint.ask({
      ...common(repository),
      method: "POST",
      at: `/v2/${repository}/blobs/uploads/`,
      accepts: [202],
    });
    return await Upload.#at(endpoint, repository, answer);
  }

  /**
   * Has a blob mounted from another repository.
   *
   * @returns "mounted", an upload to go on with, or undefined where it is refused.
   */
  static async mount(
    endpoint: Endpoint,
    repository: string,
    digest: Digest,
    from: string,
  ): Promise<"mounted" | Upload | undefined> {
    const pair = `${repository} ${from}`;
    if (endpoint.unmountable.has(pair)) return undefined;
    const query = `mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    let answer: Answer;
    try {
      answer = await endpoint.ask({
        ...common(repository),
        method: "POST",
        at: `/v2/${repository}/blobs/uploads/?${query}`,
        scopes: [pushScope(repository), pullScope(from)],
        action: `mount a blob from ${from}`,
        accepts: [201, 202],
        retry: false,
      });
    } catch (error) {
      if (!(error instanceof RegistryFault)) throw error;
      if (!isTemporary(error)) endpoint.unmountable.add(pair);
      return undefined;
    }
    if (answer.status === 202) return await Upload.#at(endpoint, repository, answer);
    await answer.discard();
    return "mounted";
  }

  static async #at(endpoint: Endpoint, repository: string, answer: Answer): Promise<Upload> {
    const location = await endpoint.located(answer, common(repository));
    await answer.discard();
    const least = Number(answer.header("oci-chunk-min-length") ?? 0);
    return new Upload(endpoint, repository, location, Number.isFinite(least) ? least : 0);
  }

  /** Sends all bytes with the commit. */
  async putWhole(
    digest: Digest,
    size: number,
    open: OpenBlob,
    onBytes: (bytes: number) => void,
  ): Promise<void> {
    const answer = await this.#send("PUT", withDigest(this.#location, digest), {
      accepts: COMMITTED,
      headers: { "content-type": "application/octet-stream" },
      body: open,
      length: size,
      onBytes,
    });
    await this.#committed(answer, digest);
  }

  /** Sends a stream whose size is not known, and answers with what it came to. */
  async sendStream(open: OpenBlob, onBytes: (bytes: number) => void): Promise<Sent> {
    let count = new Count();
    const body = async () => {
      count = new Count();
      return count.through(await open());
    };
    const answer = await this.#send("PATCH", this.#location, {
      accepts: TAKEN,
      headers: { "content-type": "application/octet-stream" },
      body,
      onBytes,
    });
    await this.#moved(answer);
    return count.sent;
  }

  /** Sends pieces, each of which is taken up where it broke. */
  async sendPieces(open: OpenBlob, onBytes: (bytes: number) => void): Promise<Sent> {
    const count = new Count();
    const target = {
      least: this.#leastPiece,
      send: (bytes: Uint8Array, start: number) => this.#sendPiece(bytes, start),
      stored: () => this.#stored(),
    };
    await sendPieces(target, count.through(await open()), this.#endpoint, onBytes);
    return count.sent;
  }

  async #sendPiece(bytes: Uint8Array, start: number): Promise<number | undefined> {
    const answer = await this.#send("PATCH", this.#location, {
      accepts: [...TAKEN, 416],
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `${start}-${start + bytes.length - 1}`,
      },
      body: () => bytes,
    });
    await this.#moved(answer);
    return answer.status === 416 ? await this.#stored() : storedBy(answer);
  }

  async #stored(): Promise<number> {
    const answer = await this.#send("GET", this.#location, { accepts: [200, 202, 204] });
    await this.#moved(answer);
    return storedBy(answer) ?? 0;
  }

  /** Commits what was sent. */
  async commit({ digest, size }: Sent): Promise<void> {
    const url = withDigest(this.#location, digest);
    const answer = await this.#send("PUT", url, { accepts: COMMITTED, blobSize: size });
    await this.#committed(answer, digest);
  }

  /** Lets the registry forget what was sent, also of a run that ends; that it cannot is no failure. */
  async cancel(): Promise<void> {
    const instead = new AbortController();
    const timer = setTimeout(() => instead.abort(), FAREWELL);
    try {
      const answer = await this.#send("DELETE", this.#location, {
        accepts: [200, 202, 204, 404],
        signalInstead: instead.signal,
      });
      await answer.discard();
    } catch {
      // It forgets by itself in time.
    } finally {
      clearTimeout(timer);
    }
  }

  #send(
    method: string,
    at: URL,
    more: Pick<Question, "accepts"> & Partial<Question>,
  ): Promise<Answer> {
    return this.#endpoint.ask({
      ...common(this.#repository),
      method,
      at,
      retry: false,
      carriesBlob: true,
      ...more,
    });
  }

  /** Where it goes on, which each answer may change. */
  async #moved(answer: Answer): Promise<void> {
    if (answer.header("location") !== undefined) {
      this.#location = await this.#endpoint.located(answer, common(this.#repository));
    }
    await answer.discard();
  }

  async #committed(answer: Answer, digest: Digest): Promise<void> {
    const stored = answer.header("docker-content-digest");
    await answer.discard();
    this.#endpoint.pacer.answered(UPLOADS);
    if (stored === undefined || stored === digest || !stored.startsWith("sha256:")) return;
    throw new RegistryFault(`The registry stored ${digest} as ${stored}`, {}, {
      where: `${this.#endpoint.host}/${this.#repository}`,
      next: "look at the registry's own log",
    });
  }
}

/** Counts and digests what passes. */
class Count {
  readonly #hash = new Sha256();
  #size = 0;

  through(bytes: ReadableStream<Uint8Array> | Uint8Array): ReadableStream<Uint8Array> {
    const stream = bytes instanceof Uint8Array ? ReadableStream.from([bytes]) : bytes;
    return stream.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          this.#hash.update(chunk);
          this.#size += chunk.length;
          controller.enqueue(chunk);
        },
      }),
    );
  }

  get sent(): Sent {
    return { digest: this.#hash.digest(), size: this.#size };
  }
}

/** How many bytes a registry says it has; `0-0` is its way to say none. */
function storedBy(answer: Answer): number | undefined {
  const match = /^(?:bytes=)?0-(\d+)$/.exec(answer.header("range") ?? "");
  if (match === null) return undefined;
  return match[1] === "0" ? 0 : Number(match[1]) + 1;
}

function common(repository: string) {
  return { repository, action: ACTION, scopes: [pushScope(repository)] };
}

/** The registry's own query is kept as it is: it may be signed. */
function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location);
  url.search = `${url.search === "" ? "?" : `${url.search}&`}digest=${encodeURIComponent(digest)}`;
  return url;
}
