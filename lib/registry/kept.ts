/** What was read of bases before: a pinned base needs no network once its documents are here. */

import type { Digest } from "../model/digest.ts";
import { MediaType } from "../model/oci.ts";
import { documentType } from "../oci/documents.ts";
import type { ImageStore, ManifestBytes } from "../oci/open_image.ts";

/** Blobs on this machine, by digest. */
export interface Kept {
  has(digest: Digest, size?: number): boolean;
  /** The bytes; undefined where they are missing or damaged. */
  readIntact(digest: Digest): Promise<Uint8Array | undefined>;
  /** The bytes as a stream that is checked. */
  open(digest: Digest): Promise<ReadableStream<Uint8Array>>;
  write(mediaType: string, bytes: Uint8Array): Promise<unknown>;
}

/** A store whose configs are kept, and whose layers are read here where they are here. */
export function keptStore(store: ImageStore, kept: Kept): ImageStore {
  return {
    places: store.places,
    config: async (descriptor) => {
      const here = await kept.readIntact(descriptor.digest);
      if (here !== undefined) return here;
      const bytes = await store.config(descriptor);
      await kept.write(descriptor.mediaType, bytes);
      return bytes;
    },
    layer: (descriptor, signal) =>
      kept.has(descriptor.digest, descriptor.size)
        ? kept.open(descriptor.digest)
        : store.layer(descriptor, signal),
  };
}

/** A manifest or index that is kept; else what `read` gives, kept from now on. */
export async function keptManifest(
  digest: Digest,
  kept: Kept,
  read: () => Promise<ManifestBytes | undefined>,
): Promise<ManifestBytes | undefined> {
  const bytes = await kept.readIntact(digest);
  if (bytes !== undefined) {
    // What is no document of this kind is named by whoever reads it as a manifest.
    const mediaType = documentType(bytes) ?? MediaType.manifest;
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }
  const found = await read();
  if (found !== undefined) await kept.write(found.descriptor.mediaType, found.bytes);
  return found;
}
