/** What was read of bases before: a pinned base needs no network once its documents are here. */

import type { Digest } from "../model/digest.ts";
import { MediaType } from "../model/oci.ts";
import { parseIndex, parseManifest } from "../oci/documents.ts";
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
    return { descriptor: { mediaType: mediaTypeOf(bytes), digest, size: bytes.length }, bytes };
  }
  const found = await read();
  if (found !== undefined) await kept.write(found.descriptor.mediaType, found.bytes);
  return found;
}

/** What a document says it is; one that does not say is told by what it holds. */
function mediaTypeOf(bytes: Uint8Array): string {
  try {
    return parseIndex(bytes, "").mediaType ?? MediaType.index;
  } catch {
    return parseManifest(bytes, "").mediaType ?? MediaType.manifest;
  }
}
