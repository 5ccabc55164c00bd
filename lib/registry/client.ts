/** One registry, spoken to in the distribution protocol. */

import type { Digest } from "../model/digest.ts";
import type { Descriptor } from "../model/oci.ts";
import { Slots } from "../model/slots.ts";
import { DOCUMENT_LIMIT } from "../oci/documents.ts";
import type { Credentials } from "./credentials.ts";
import { Endpoint } from "./endpoint.ts";
import { RegistryFault } from "./faults.ts";
import { type FoundManifest, Manifests } from "./manifests.ts";
import type { Pacing } from "./pacer.ts";
import { type BlobOptions, BlobReader } from "./pull.ts";
import type { Environment, Patience } from "./transport.ts";
import { type OpenBlob, type Sent, Upload } from "./upload.ts";
import { type Arrival, hasBlob, Uploader } from "./uploader.ts";

/** Blobs that are read, and blobs that are written, at once. */
const BLOBS = 6;

/** How long is waited for what. */
const PATIENCE: Patience = {
  connect: 10_000,
  idle: 30_000,
  reply: 30_000,
  answer: 300_000,
  document: 30_000,
  refusal: 5_000,
};

/** How failures are waited out. */
const PACING: Pacing = {
  tries: 6,
  silentTries: 3,
  base: 250,
  cap: 10_000,
  throttledCap: 30_000,
  longest: 120_000,
  notable: 5_000,
};

/** Settings of a {@link RegistryClient}. */
export interface ClientSettings {
  /** As references name it, with its port if it has one. */
  readonly host: string;
  /** Whether plain http is allowed where the host is not loopback. */
  readonly insecure: boolean;
  readonly credentials: Credentials;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Told of what is no failure, such as a long wait. */
  readonly notice?: (message: string) => void;
  /** For proxies and certificates. @default the process's own */
  readonly env?: Environment;
  /** Whether a repository is nobody's here, such as a base's. @default none is */
  readonly isStrange?: (repository: string) => boolean;
  /** @default 10 s to connect, 30 s for all else, up to 300 s for an answer to a large blob */
  readonly patience?: Partial<Patience>;
  /** @default 6 tries, 3 where nothing is answered, from 250 ms doubling up to 10 s, up to 120 s where the registry asks */
  readonly pacing?: Partial<Pacing>;
}

/** Speaks to one registry. */
export class RegistryClient {
  /** Its host, with a port where there is one. */
  readonly host: string;
  readonly #endpoint: Endpoint;
  readonly #manifests: Manifests;
  readonly #reading = new Slots(BLOBS);
  readonly #writing = new Slots(BLOBS);

  /** Connects to nothing yet. */
  constructor(settings: ClientSettings) {
    this.host = settings.host;
    this.#endpoint = new Endpoint({
      ...settings,
      notice: settings.notice ?? (() => {}),
      isStrange: settings.isStrange ?? (() => false),
      env: settings.env ?? Deno.env.toObject(),
      patience: { ...PATIENCE, ...settings.patience },
      pacing: { ...PACING, ...settings.pacing },
    });
    this.#manifests = new Manifests(this.#endpoint);
  }

  /** A repository is going to be written: the right to is asked for from the beginning. */
  willWrite(repository: string): void {
    this.#endpoint.written.add(repository);
  }

  /** What a tag or digest stands for, without its bytes; undefined where there is nothing. */
  probe(repository: string, reference: string): Promise<Descriptor | undefined> {
    return this.#manifests.probe(repository, reference);
  }

  /** A manifest or index by tag or digest, checked against its digest; undefined where there is none. */
  manifest(repository: string, reference: string): Promise<FoundManifest | undefined> {
    return this.#manifests.get(repository, reference);
  }

  /** Writes a manifest under a tag or digest. */
  putManifest(
    repository: string,
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
  ): Promise<Digest> {
    return this.#manifests.put(repository, reference, mediaType, bytes);
  }

  /** A small blob, such as a config, whole. */
  async smallBlob(repository: string, descriptor: Descriptor): Promise<Uint8Array> {
    const { size, digest } = descriptor;
    if (size > DOCUMENT_LIMIT) {
      throw new RegistryFault(`The blob ${digest} has ${size} bytes, too many for a config`, {}, {
        where: `${this.host}/${repository}`,
        next: "check that the reference names a container image",
      });
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for await (const chunk of await this.#open(repository, descriptor, { isDocument: true })) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /**
   * A blob's bytes, checked against digest and size while they stream: the stream fails before its
   * end if they differ. It holds one of a few places until it is read or cancelled.
   */
  blob(
    repository: string,
    descriptor: Descriptor,
    signal?: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    return this.#open(repository, descriptor, signal === undefined ? {} : { signal });
  }

  async #open(
    repository: string,
    descriptor: Descriptor,
    options: BlobOptions,
  ): Promise<ReadableStream<Uint8Array>> {
    const release = await this.#reading.acquire();
    const reader = new BlobReader(this.#endpoint, repository, descriptor, options);
    try {
      await reader.open();
    } catch (error) {
      release();
      throw error;
    }
    const chunks = reader.chunks();
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (!done) return controller.enqueue(value);
          release();
          controller.close();
        } catch (error) {
          release();
          reader.cancel();
          controller.error(error);
        }
      },
      cancel() {
        release();
        reader.cancel();
      },
    }, { highWaterMark: 0 });
  }

  /** Whether a repository holds a blob, of so many bytes where that is known. */
  hasBlob(repository: string, digest: Digest, size?: number): Promise<boolean> {
    return hasBlob(this.#endpoint, repository, digest, size);
  }

  /** Mounts a blob from another repository; false where the registry would not. */
  async mount(repository: string, digest: Digest, from: string): Promise<boolean> {
    const mounted = await Upload.mount(this.#endpoint, repository, digest, from);
    if (mounted instanceof Upload) await mounted.cancel();
    return mounted === "mounted";
  }

  /**
   * Brings a blob of known digest and size to a repository, unless it is there.
   *
   * @param options.from repositories of this registry that may hold it.
   * @param options.onBytes told of bytes as they go; of fewer than none where they must go again.
   * @param options.always sends it although the registry says that it is there.
   */
  upload(
    repository: string,
    descriptor: Descriptor,
    open: OpenBlob,
    options: {
      readonly from?: readonly string[];
      readonly onBytes?: (bytes: number) => void;
      readonly always?: boolean;
    } = {},
  ): Promise<Arrival> {
    const { from = [], onBytes, always = false } = options;
    const uploader = new Uploader(this.#endpoint, repository, onBytes);
    return this.#writing.run(() => uploader.bring(descriptor, open, from, always));
  }

  /**
   * Uploads a stream of unknown digest and size.
   *
   * @param options.onBytes told of bytes as they go; of fewer than none where they must go again.
   * @param options.onDigest told what the stream came to, before the registry commits to it.
   */
  uploadStream(
    repository: string,
    open: () => Promise<ReadableStream<Uint8Array>>,
    options: {
      readonly onBytes?: (bytes: number) => void;
      readonly onDigest?: (sent: Sent) => void;
    } = {},
  ): Promise<Sent> {
    const uploader = new Uploader(this.#endpoint, repository, options.onBytes);
    return this.#writing.run(() => uploader.bringStream(open, options.onDigest));
  }

  /**
   * Begins an upload and lets the registry forget it: nothing is left there.
   *
   * @throws {RegistryFault} where the repository may not be written.
   */
  async tryWriting(repository: string): Promise<void> {
    const upload = await Upload.begin(this.#endpoint, repository);
    await upload.cancel();
  }

  /** Ends all connections. */
  close(): void {
    this.#endpoint.close();
  }
}
