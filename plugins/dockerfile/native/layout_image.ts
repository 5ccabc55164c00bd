/** Images in OCI layouts of the project: named contexts `oci-layout://`. */

import { type Digest, hexOf } from "../../../lib/model/digest.ts";
import { Fault } from "../../../lib/model/errors.ts";
import type { LocalImage } from "../../../lib/model/image.ts";
import type { Descriptor } from "../../../lib/model/oci.ts";
import { MediaType } from "../../../lib/model/oci.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { documentType } from "../../../lib/oci/documents.ts";
import { imageFor, imagesOf } from "../../../lib/oci/image_index.ts";
import { isIndexType, type ManifestBytes, openImage } from "../../../lib/oci/open_image.ts";
import { Sha256, sha256 } from "../../../lib/oci/sha256.ts";

/** The largest document that is read, in bytes. */
const DOCUMENT_LIMIT = 8 * 1024 * 1024;

/** Size of the pieces a layer is read in, in bytes. */
const CHUNK = 256 * 1024;

/**
 * Opens the image of a digest on the platform that is built. Its layers are copied, so that they are
 * there whatever becomes of the layout.
 *
 * @param folder of the layout, relative to images.ts.
 * @throws {Fault} for what is missing or damaged.
 */
export function layoutImage(
  folder: string,
  digest: Digest,
  context: BuildContext,
): Promise<LocalImage> {
  const { platform } = context;
  return context.once(`dockerfile:layout:${folder}@${digest}:${platform}`, async (shared) => {
    const layout = new LayoutFolder(`${shared.root}/${folder}`, folder);
    const manifest = await layout.manifest(digest, platform);
    const image = await openImage(
      {
        config: (descriptor) => Promise.resolve(layout.document(descriptor.digest)),
        layer: (descriptor) => Promise.resolve(ReadableStream.from(layout.blob(descriptor))),
        places: [{ at: "layout" }],
      },
      manifest,
      `oci-layout://${folder}`,
    );
    for (const { descriptor } of image.layers) {
      await shared.writeBlob(descriptor.mediaType, layout.blob(descriptor));
    }
    return { ...image, platform };
  });
}

class LayoutFolder {
  constructor(readonly path: string, readonly name: string) {}

  /** The manifest of a digest, or of an index's image for a platform. */
  async manifest(digest: Digest, platform: string): Promise<ManifestBytes> {
    const top = this.#manifestBytes(digest);
    if (!isIndexType(top.descriptor.mediaType)) return top;
    const reader = {
      manifest: (child: Descriptor) => Promise.resolve(this.#manifestBytes(child.digest)),
      config: (child: Descriptor) => Promise.resolve(this.document(child.digest)),
    };
    const child = await imageFor(top, platform, reader, this.name);
    if (child !== undefined) return this.#manifestBytes(child.digest);
    const has = [...(await imagesOf(top, reader, this.name)).keys()];
    const only = has.length === 0 ? "and for no other" : `only for ${has.join(", ")}`;
    throw this.#fault(`It has no image for ${platform}, ${only}`);
  }

  #manifestBytes(digest: Digest): ManifestBytes {
    const bytes = this.document(digest);
    const mediaType = documentType(bytes) ?? MediaType.manifest;
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  /** A manifest, index or config, checked. */
  document(digest: Digest): Uint8Array {
    const path = this.#pathOf(digest);
    if (Deno.statSync(path).size > DOCUMENT_LIMIT) throw this.#fault(`${digest} is too large`);
    const bytes = Deno.readFileSync(path);
    if (sha256(bytes) !== digest) throw this.#fault(`${digest} is damaged`);
    return bytes;
  }

  /** A layer's bytes, checked before they end. */
  async *blob({ digest }: Descriptor): AsyncGenerator<Uint8Array> {
    using file = await Deno.open(this.#pathOf(digest));
    const hash = new Sha256();
    for (;;) {
      const chunk = new Uint8Array(CHUNK);
      const count = await file.read(chunk);
      if (count === null) break;
      hash.update(chunk.subarray(0, count));
      yield chunk.subarray(0, count);
    }
    if (hash.digest() !== digest) throw this.#fault(`The layer ${digest} is damaged`);
  }

  #pathOf(digest: Digest): string {
    const path = `${this.path}/blobs/sha256/${hexOf(digest)}`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    throw this.#fault(`It does not hold ${digest}`);
  }

  #fault(message: string): Fault {
    return new Fault(message, {
      where: `oci-layout://${this.name}`,
      next: "write the layout again, or name another digest or tag",
    });
  }
}
