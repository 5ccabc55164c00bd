/** One attempt at uploading a blob: a place to upload to, the bytes, and the commit. */

import type { Digest } from "../model/digest.ts";
import { Sha256 } from "../oci/sha256.ts";
import type { Answer } from "./answer.ts";
import type { Endpoint, Question } from "./endpoint.ts";
import { RegistryFault } from "./faults.ts";
import { pullScope, pushScope } from "./scope.ts";

/** What an upload brings. */
export type Bytes = ReadableStream<Uint8Array> | Uint8Array;

const ACTION = "upload a blob";

/** How long a registry may take to forget an upload, in milliseconds. */
const FAREWELL = 2_000;

/** Statuses of a commit. */
const COMMITTED = [200, 201, 204];

/** An upload that was begun, and where it goes on. */
export class Upload {
  readonly #endpoint: Endpoint;
  readonly #repository: string;
  #location: URL;

  private constructor(endpoint: Endpoint, repository: string, location: URL) {
    this.#endpoint = endpoint;
    this.#repository = repository;
    this.#location = location;
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
   * @returns undefined where that was done, else an upload to go on with.
   */
  static async mount(
    endpoint: Endpoint,
    repository: string,
    digest: Digest,
    from: string,
  ): Promise<Upload | undefined> {
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
      return await Upload.begin(endpoint, repository);
    }
    if (answer.status === 202) return await Upload.#at(endpoint, repository, answer);
    await answer.discard();
    return undefined;
  }

  static async #at(endpoint: Endpoint, repository: string, answer: Answer): Promise<Upload> {
    const location = await endpoint.located(answer, common(repository));
    await answer.discard();
    return new Upload(endpoint, repository, location);
  }

  /** Sends all bytes with the commit. */
  async putWhole(
    digest: Digest,
    size: number,
    open: () => Promise<ReadableStream<Uint8Array>> | Uint8Array,
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
  async sendStream(
    open: () => Promise<ReadableStream<Uint8Array>>,
    onBytes: (bytes: number) => void,
  ): Promise<{ digest: Digest; size: number }> {
    let hash = new Sha256();
    let size = 0;
    const body = async () => {
      hash = new Sha256();
      size = 0;
      const count = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          hash.update(chunk);
          size += chunk.length;
          controller.enqueue(chunk);
        },
      });
      return (await open()).pipeThrough(count);
    };
    const answer = await this.#send("PATCH", this.#location, {
      accepts: [200, 201, 202, 204],
      headers: { "content-type": "application/octet-stream" },
      body,
      onBytes,
    });
    await this.#moved(answer);
    return { digest: hash.digest(), size };
  }

  /** Commits what was sent. */
  async commit(digest: Digest): Promise<void> {
    const url = withDigest(this.#location, digest);
    await this.#committed(await this.#send("PUT", url, { accepts: COMMITTED }), digest);
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
    if (stored === undefined || stored === digest || !stored.startsWith("sha256:")) return;
    throw new RegistryFault(`The registry stored ${digest} as ${stored}`, {}, {
      where: `${this.#endpoint.host}/${this.#repository}`,
      next: "look at the registry's own log",
    });
  }
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
