/** One registry, spoken to in the distribution protocol. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { Descriptor } from "../model/oci.ts";
import type { Credentials } from "./credentials.ts";

/** Settings of a {@link RegistryClient}. */
export interface ClientSettings {
  readonly host: string;
  /** Whether plain http is allowed where the host is not loopback. */
  readonly insecure: boolean;
  readonly credentials: Credentials;
  readonly signal: AbortSignal;
  /** Name of the declared registry. */
  readonly registryName?: string;
}

/** Speaks to one registry. */
export class RegistryClient {
  /** Its host, with a port where there is one. */
  readonly host: string;

  /** Connects to nothing yet. */
  constructor({ host }: ClientSettings) {
    this.host = host;
  }

  /** What a tag stands for, without its bytes. */
  probe(_repository: string, _tag: string): Promise<Descriptor | undefined> {
    return this.#refuse();
  }

  /** A manifest or index by tag or digest, checked against its digest. */
  manifest(
    _repository: string,
    _reference: string,
  ): Promise<{ descriptor: Descriptor; bytes: Uint8Array } | undefined> {
    return this.#refuse();
  }

  /** A small blob, such as a config, whole. */
  smallBlob(_repository: string, _descriptor: Descriptor): Promise<Uint8Array> {
    return this.#refuse();
  }

  /** A blob's bytes, checked against its digest while they stream. */
  blob(
    _repository: string,
    _descriptor: Descriptor,
    _signal?: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    return this.#refuse();
  }

  /** Whether a repository holds a blob. */
  hasBlob(_repository: string, _digest: Digest): Promise<boolean> {
    return this.#refuse();
  }

  /** Mounts a blob from another repository; false where the registry would not. */
  mount(_repository: string, _digest: Digest, _from: string): Promise<boolean> {
    return this.#refuse();
  }

  /** Uploads a blob of known digest and size. */
  upload(
    _repository: string,
    _descriptor: Descriptor,
    _open: () => Promise<ReadableStream<Uint8Array>> | Uint8Array,
    _onBytes?: (bytes: number) => void,
  ): Promise<void> {
    return this.#refuse();
  }

  /** Uploads a stream of unknown digest and size. */
  uploadStream(
    _repository: string,
    _open: () => Promise<ReadableStream<Uint8Array>>,
    _onBytes?: (bytes: number) => void,
  ): Promise<{ digest: Digest; size: number }> {
    return this.#refuse();
  }

  /** Writes a manifest under a tag or digest. */
  putManifest(
    _repository: string,
    _reference: string,
    _mediaType: string,
    _bytes: Uint8Array,
  ): Promise<Digest> {
    return this.#refuse();
  }

  /** Ends all connections. */
  close(): void {}

  #refuse(): never {
    throw new Fault("Registries are not spoken to yet", { where: this.host });
  }
}
