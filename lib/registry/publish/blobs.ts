/** Bringing an image's blobs to a repository: mounted, reused, copied or uploaded, each once. */

import type { Digest } from "../../model/digest.ts";
import type { OpenableLayer } from "../../model/image.ts";
import { type Descriptor, MediaType } from "../../model/oci.ts";
import type { Registry } from "../../model/recipe.ts";
import type { Compressor } from "../../oci/compress.ts";
import { parseConfig } from "../../oci/documents.ts";
import type { RegistryClient } from "../client.ts";
import { readTag } from "./lookup.ts";

/** Bytes that have gone to the registry, for people to see. */
export type OnBytes = (bytes: number) => void;

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
  /** Uncompressed digest → where a compressed form of it is, or is being brought. */
  readonly #layers = new Map<Digest, Promise<Held>>();
  /** Digest → a repository that holds it. */
  readonly #holders = new Map<Digest, string>();

  constructor(
    client: RegistryClient,
    compression: Registry["compression"],
    compressor: Compressor,
  ) {
    this.#client = client;
    this.#compression = compression;
    this.#compressor = compressor;
  }

  /**
   * Takes note of the layers that a repository's tag holds, whatever their compression: its config
   * lists diff IDs, its manifest the blobs.
   */
  async learn(repository: string, tag: string): Promise<void> {
    const published = await readTag(this.#client, repository, tag);
    for (const manifest of await this.#manifestsOf(repository, published)) {
      const config = await this.#client.smallBlob(repository, manifest.config);
      const diffIds = parseConfig(config, `${repository}:${tag}`).rootfs.diff_ids;
      if (diffIds.length !== manifest.layers.length) continue;
      manifest.layers.forEach((descriptor, at) => {
        this.#holders.set(descriptor.digest, repository);
        const diffId = diffIds[at]!;
        if (!this.#layers.has(diffId)) {
          this.#layers.set(diffId, Promise.resolve({ descriptor: plain(descriptor), repository }));
        }
      });
    }
  }

  async #manifestsOf(repository: string, published: Awaited<ReturnType<typeof readTag>>) {
    if (published?.manifest !== undefined) return [published.manifest];
    const manifests = [];
    for (const child of published?.index?.manifests ?? []) {
      const found = await readTag(this.#client, repository, child.digest);
      if (found?.manifest !== undefined) manifests.push(found.manifest);
    }
    return manifests;
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
    if (!isPlain || this.#compression === "none") {
      await this.bring(
        repository,
        descriptor,
        () => layer.open(),
        sourcesOf(layer, this.#client.host),
        onBytes,
      );
      return plain(descriptor);
    }
    const known = this.#layers.get(diffId);
    if (known !== undefined) {
      const held = await known.catch(() => undefined);
      if (held !== undefined && await this.#isHere(repository, held)) return held.descriptor;
    }
    const bringing = this.#compressAndUpload(repository, layer, onBytes);
    this.#layers.set(diffId, bringing);
    bringing.catch(() => this.#layers.delete(diffId));
    return (await bringing).descriptor;
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
    if (this.#holders.get(digest) === repository) return;
    const holder = this.#holders.get(digest);
    const from = [...new Set([...sources, ...(holder === undefined ? [] : [holder])])];
    await this.#client.upload(repository, descriptor, open, { from, ...(onBytes && { onBytes }) });
    this.#holders.set(digest, repository);
  }

  async #isHere(repository: string, held: Held): Promise<boolean> {
    const { digest } = held.descriptor;
    if (await this.#client.hasBlob(repository, digest)) return true;
    return held.repository !== repository &&
      await this.#client.mount(repository, digest, held.repository);
  }

  async #compressAndUpload(
    repository: string,
    layer: OpenableLayer,
    onBytes: OnBytes | undefined,
  ): Promise<Held> {
    const compression = this.#compression;
    const open = async () =>
      ReadableStream.from(this.#compressor.compress(await layer.open(), compression));
    const { digest, size } = await this.#client.uploadStream(repository, open, onBytes);
    this.#holders.set(digest, repository);
    const mediaType = compression === "zstd" ? MediaType.layerZstd : MediaType.layerGzip;
    return { descriptor: { mediaType, digest, size }, repository };
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
  return { mediaType: OCI_TYPES[mediaType] ?? mediaType, digest, size };
}

const OCI_TYPES: Record<string, string> = {
  [MediaType.dockerLayer]: MediaType.layer,
  [MediaType.dockerLayerGzip]: MediaType.layerGzip,
};
