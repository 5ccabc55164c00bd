/** Uploading until it works or fails for good. */

import { type Digest, isDigest } from "../model/digest.ts";
import type { Descriptor } from "../model/oci.ts";
import type { Answer } from "./answer.ts";
import { type Endpoint, UPLOADS } from "./endpoint.ts";
import { isTemporary, RegistryFault, unlessDenied } from "./faults.ts";
import { Meter } from "./meter.ts";
import { pullScope } from "./scope.ts";
import { type OpenBlob, type Sent, Upload } from "./upload.ts";

/** How a blob came to be in a repository. */
export type Arrival = "present" | "mounted" | "uploaded";

/** Statuses of those that do not take a blob in one piece. */
const IN_PIECES = [405, 411, 413, 416, 501];

/** Failures after which a blob is sent in pieces: it may be too large for the line. */
const TOO_OFTEN = 3;

/**
 * Whether a repository holds a blob: whether sending it can be spared. Where the registry does not
 * tell, it counts as absent; where it leads to a storage that does not, as there.
 *
 * @param size in bytes, where it is known.
 * @throws {RegistryFault} also where that is refused to who asks.
 */
export async function hasBlob(
  endpoint: Endpoint,
  repository: string,
  digest: Digest,
  size?: number,
): Promise<boolean> {
  let answer: Answer;
  try {
    answer = await endpoint.ask({
      method: "HEAD",
      at: `/v2/${repository}/blobs/${digest}`,
      repository,
      scopes: [pullScope(repository)],
      action: "look for a blob",
      accepts: [200, 404, 410],
    });
  } catch (error) {
    if (!(error instanceof RegistryFault)) throw error;
    const { status = 0, elsewhere = false } = error.facts;
    // Where the registry leads to is no matter: it does so for blobs that it has.
    if (elsewhere) return true;
    if (status === 401 || status === 403 || !SAYS_NOTHING.includes(status)) throw error;
    return false;
  }
  await answer.discard();
  if (answer.status !== 200) return false;
  const stored = answer.header("docker-content-digest");
  if (isDigest(stored)) return stored === digest;
  // Some leave the length out or write 0; another one is of a web page.
  return !answer.length || size === undefined || answer.length === size;
}

/** Statuses of a `HEAD` that say nothing of the blob: the request is not understood. */
const SAYS_NOTHING = [400, 401, 403, 405, 406, 411, 412, 415, 421, 501];

/** Brings one blob to a repository. */
export class Uploader {
  readonly #endpoint: Endpoint;
  readonly #repository: string;
  readonly #meter: Meter;
  /** The upload of the present attempt. */
  #upload: Upload | undefined;
  /** What the present attempt is about to commit. */
  #expected: Digest | undefined;
  #inPieces = false;

  constructor(
    endpoint: Endpoint,
    repository: string,
    onBytes: ((bytes: number) => void) | undefined,
  ) {
    this.#endpoint = endpoint;
    this.#repository = repository;
    this.#meter = new Meter(onBytes);
  }

  /** A blob of known digest and size, unless it is there or can be mounted. */
  async bring(
    { digest, size }: Descriptor,
    open: OpenBlob,
    from: readonly string[],
    always: boolean,
  ): Promise<Arrival> {
    const sources = from.filter((each) => each !== this.#repository);
    let tried = false;
    return await this.#untilDone<Arrival>(async () => {
      if ((tried || !always) && await this.#has(digest, size)) {
        return tried ? "uploaded" : "present";
      }
      tried = true;
      const upload = await this.#mountOrBegin(digest, sources);
      if (upload === undefined) return "mounted";
      this.#expected = digest;
      if (!this.#inPieces) await upload.putWhole(digest, size, open, this.#meter.add);
      else {
        const sent = await upload.sendPieces(open, this.#meter.add);
        if (sent.digest !== digest) throw this.#changed(digest, sent.digest);
        await upload.commit(sent);
      }
      return "uploaded";
    }, () => "uploaded");
  }

  /** A stream of unknown digest and size. */
  async bringStream(
    open: () => Promise<ReadableStream<Uint8Array>>,
    onDigest?: (sent: Sent) => void,
  ): Promise<Sent> {
    let sent: Sent | undefined;
    return await this.#untilDone(async () => {
      const upload = this.#upload = await Upload.begin(this.#endpoint, this.#repository);
      sent = this.#inPieces
        ? await upload.sendPieces(open, this.#meter.add)
        : await upload.sendStream(open, this.#meter.add);
      this.#expected = sent.digest;
      onDigest?.(sent);
      await upload.commit(sent);
      return sent;
    }, () => sent!);
  }

  /**
   * Tries until it works or fails for good. A commit whose answer was lost is settled by looking for
   * the blob.
   */
  async #untilDone<T>(attempt: () => Promise<T>, done: () => T): Promise<T> {
    const { signal, pacer } = this.#endpoint;
    const attempts = pacer.attempts(UPLOADS);
    for (;;) {
      this.#upload = undefined;
      this.#expected = undefined;
      try {
        attempts.begin();
        return await attempt();
      } catch (error) {
        await this.#cancel();
        signal.throwIfAborted();
        if (!(error instanceof RegistryFault)) throw error;
        const again = this.#mayWork(error, attempts.failures + 1);
        if (!again || !attempts.mayRetry(error)) throw error;
        if (this.#expected !== undefined && await this.#has(this.#expected)) return done();
        this.#meter.takeBack();
        if (isTemporary(error)) await attempts.pause(error, signal);
      }
    }
  }

  /** Whether another attempt may work, if need be in another way. */
  #mayWork(error: RegistryFault, failures: number): boolean {
    const { status = 0 } = error.facts;
    const refusesWhole = IN_PIECES.includes(status) && !this.#inPieces;
    if (refusesWhole || (this.#upload !== undefined && failures >= TOO_OFTEN)) {
      this.#inPieces = true;
    }
    // An upload that is not known may have been committed, or lost.
    const isLost = status === 404 && this.#upload !== undefined;
    return isTemporary(error) || refusesWhole || isLost;
  }

  /** Undefined where one of the repositories gave it; else an upload that was begun. */
  async #mountOrBegin(digest: Digest, from: readonly string[]): Promise<Upload | undefined> {
    for (const source of from) {
      await this.#cancel();
      const mounted = await Upload.mount(this.#endpoint, this.#repository, digest, source);
      if (mounted === "mounted") return undefined;
      this.#upload = mounted;
    }
    return this.#upload ??= await Upload.begin(this.#endpoint, this.#repository);
  }

  async #cancel(): Promise<void> {
    await this.#upload?.cancel();
  }

  async #has(digest: Digest, size?: number): Promise<boolean> {
    const looking = hasBlob(this.#endpoint, this.#repository, digest, size);
    return await unlessDenied(looking) ?? false;
  }

  #changed(digest: Digest, found: Digest): RegistryFault {
    return new RegistryFault(`The blob to upload is ${found} instead of ${digest}`, {}, {
      where: `${this.#endpoint.host}/${this.#repository}`,
      next: "build the image again with --force",
    });
  }
}
