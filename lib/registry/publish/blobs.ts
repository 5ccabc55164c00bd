/** Bringing an image's blobs to a repository: mounted, reused, copied or uploaded, each once. */

import type { Digest } from "../../model/digest.ts";
import type { OpenableLayer } from "../../model/image.ts";
import { type Descriptor, MediaType } from "../../model/oci.ts";
import type { Registry } from "../../model/recipe.ts";
import type { Compressor } from "../../oci/compress.ts";
import type { RegistryClient } from "../client.ts";
import { unlessDenied } from "../faults.ts";
import { ociType } from "./published_manifest.ts";
import { publishedLayers } from "./published_layers.ts";

/** Bytes that have gone to the registry, for people to see. */
export type OnBytes = (bytes: number) => void;

/** What earlier runs found out, interrupted ones too: which blob is a compressed form of a layer. */
export interface BlobMemory {
  /** The blob that a layer became. */
  recall(diffId: Digest, compression: Registry["compression"]): Descriptor | undefined;
  /** Keeps it; called before the registry commits to the blob. */
  keep(diffId: Digest, compression: Registry["compression"], descriptor: Descriptor): void;
}

/** A blob that a repository is known to hold. */
interface Held {
  readonly descriptor: Descriptor;
  readonly repository: string;
}

/** The blobs of one registry, shared by all images of a run. */
export class Blobs {
  readonly #client: RegistryClient;
  readonly #compression: Registry["compression"];
  readonly #compressor: Compressor;
  readonly #memory: BlobMemory;
  /** Uncompressed digest → where a compressed form of it is, or is being brought. */
  readonly #layers = new Map<Digest, Promise<Held>>();
  /** Digest → a repository that holds it. */
  readonly #holders = new Map<Digest, string>();
  /** Tag → done when its images' layers are known. */
  readonly #learnt = new Map<string, Promise<void>>();
  /** Repositories whose word for a blob's presence is not taken: blobs are sent all the same. */
  readonly #distrusted = new Set<string>();
  /** What is under way. */
  readonly #sending = new Set<Promise<unknown>>();

  constructor(
    client: RegistryClient,
    compression: Registry["compression"],
    compressor: Compressor,
    memory: BlobMemory,
  ) {
    this.#client = client;
    this.#compression = compression;
    this.#compressor = compressor;
    this.#memory = memory;
  }

  /** Takes note of the layers that a repository's tag holds, whatever their compression. */
  learn(repository: string, tag: string): Promise<void> {
    const name = `${repository}:${tag}`;
    const known = this.#learnt.get(name);
    if (known !== undefined) return known;
    const learning = this.#learn(repository, tag);
    this.#learnt.set(name, learning);
    return learning;
  }

  async #learn(repository: string, tag: string): Promise<void> {
    for (const [diffId, descriptor] of await publishedLayers(this.#client, repository, tag)) {
      this.#holders.set(descriptor.digest, repository);
      if (this.#layers.has(diffId)) continue;
      this.#layers.set(diffId, Promise.resolve({ descriptor: plain(descriptor), repository }));
    }
  }

  /**
   * Forgets what is known of a repository's blobs, since it does not know all of them itself.
   *
   * @param distrust from now on blobs are sent although it says that it has them.
   */
  forget(repository: string, distrust: boolean): void {
    for (const [digest, holder] of this.#holders) {
      if (holder === repository) this.#holders.delete(digest);
    }
    this.#layers.clear();
    if (distrust) this.#distrusted.add(repository);
  }

  /** Brings a layer to a repository; answers with the descriptor it has there. */
  async bringLayer(
    repository: string,
    layer: OpenableLayer,
    onBytes?: OnBytes,
  ): Promise<Descriptor> {
    const { descriptor, diffId } = layer;
    const isPlain = descriptor.mediaType === MediaType.layer ||
      descriptor.mediaType === MediaType.dockerLayer;
    const sources = sourcesOf(layer, this.#client.host);
    if (!isPlain || this.#compression === "none") {
      await this.bring(repository, descriptor, () => layer.open(), sources, onBytes);
      return plain(descriptor);
    }
    if (sources.length > 0 && await this.#isThere(repository, descriptor.digest, sources)) {
      return plain(descriptor);
    }
    const known = this.#layers.get(diffId);
    if (known === undefined) {
      const bringing = this.#bringFirst(repository, layer, onBytes);
      this.#layers.set(diffId, bringing);
      bringing.catch(() => this.#layers.delete(diffId));
      return (await bringing).descriptor;
    }
    const held = await known.catch(() => undefined);
    if (held !== undefined && await this.#isHere(repository, held)) return held.descriptor;
    return (await this.#compressAndUpload(repository, layer, onBytes)).descriptor;
  }

  /** What an earlier run sent, before it was interrupted perhaps, is not sent again. */
  async #bringFirst(
    repository: string,
    layer: OpenableLayer,
    onBytes: OnBytes | undefined,
  ): Promise<Held> {
    const descriptor = this.#memory.recall(layer.diffId, this.#compression);
    if (descriptor !== undefined && await this.#isThere(repository, descriptor.digest, [])) {
      return { descriptor, repository };
    }
    return await this.#compressAndUpload(repository, layer, onBytes);
  }

  /** Brings a blob of known digest and size to a repository, mounted from where that is possible. */
  async bring(
    repository: string,
    descriptor: Descriptor,
    open: () => Promise<ReadableStream<Uint8Array>> | Uint8Array,
    sources: readonly string[] = [],
    onBytes?: OnBytes,
  ): Promise<void> {
    const { digest } = descriptor;
    const holder = this.#holders.get(digest);
    if (holder === repository) return;
    const from = [...new Set([...sources, ...(holder === undefined ? [] : [holder])])];
    const always = this.#distrusted.has(repository);
    const options = { from, always, ...(onBytes && { onBytes }) };
    await this.#tracked(this.#client.upload(repository, descriptor, open, options));
    this.#holders.set(digest, repository);
  }

  #isHere(repository: string, held: Held): Promise<boolean> {
    return this.#isThere(repository, held.descriptor.digest, [held.repository]);
  }

  /** Waits for what is still under way after a failure: uploads are ended at the registry too. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#sending);
  }

  async #tracked<T>(sending: Promise<T>): Promise<T> {
    this.#sending.add(sending);
    try {
      return await sending;
    } finally {
      this.#sending.delete(sending);
    }
  }

  /** Whether a repository holds a blob, or does once it is mounted from one of these. */
  async #isThere(repository: string, digest: Digest, from: readonly string[]): Promise<boolean> {
    if (this.#distrusted.has(repository)) return false;
    if (await unlessDenied(this.#client.hasBlob(repository, digest))) return true;
    for (const source of new Set(from)) {
      if (source !== repository && await this.#client.mount(repository, digest, source)) {
        return true;
      }
    }
    return false;
  }

  async #compressAndUpload(
    repository: string,
    layer: OpenableLayer,
    onBytes: OnBytes | undefined,
  ): Promise<Held> {
    const compression = this.#compression;
    const mediaType = compression === "zstd" ? MediaType.layerZstd : MediaType.layerGzip;
    const open = async () =>
      ReadableStream.from(this.#compressor.compress(await layer.open(), compression));
    const sent = await this.#tracked(this.#client.uploadStream(repository, open, {
      ...(onBytes && { onBytes }),
      onDigest: (sent) => this.#memory.keep(layer.diffId, compression, { mediaType, ...sent }),
    }));
    this.#holders.set(sent.digest, repository);
    return { descriptor: { mediaType, ...sent }, repository };
  }
}

/** Repositories of the same registry that hold a layer. */
function sourcesOf(layer: OpenableLayer, host: string): string[] {
  return layer.places.flatMap((place) =>
    place.at === "registry" && place.host === host ? [place.repository] : []
  );
}

/** A descriptor in OCI's words and without what belongs to the manifest it came from. */
function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType: ociType(mediaType), digest, size };
}
