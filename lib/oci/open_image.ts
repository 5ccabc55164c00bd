/** Opening an image from wherever its documents and layers are: a registry, or a layout on disk. */

import { Fault } from "../model/errors.ts";
import type { BlobPlace, LocalImage, OpenableLayer } from "../model/image.ts";
import { type Descriptor, MediaType } from "../model/oci.ts";
import { formatPlatform, parsePlatform, type Platform } from "../model/platform.ts";
import { parseConfig, parseManifest } from "./documents.ts";

/** Where an image's blobs are. */
export interface ImageStore {
  /** A config's bytes, checked against the digest. */
  config(descriptor: Descriptor): Promise<Uint8Array>;
  /** A layer's bytes as a stream that is checked against the digest. */
  layer(descriptor: Descriptor, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Where the layers are. */
  readonly places: readonly BlobPlace[];
}

/** A manifest with its exact bytes. */
export interface ManifestBytes {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * Opens the image of a manifest. Only the config is read; layers are when they are opened.
 *
 * @param name how it is called in errors.
 * @throws {Fault} when manifest or config are not those of an image.
 */
export async function openImage(
  store: ImageStore,
  { descriptor, bytes }: ManifestBytes,
  name: string,
): Promise<LocalImage> {
  const manifest = parseManifest(bytes, name);
  const configBytes = await store.config(manifest.config);
  const config = parseConfig(configBytes, name);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new Fault("Its config and manifest name different layers", {
      where: name,
      next: "push the image again, or use another",
    });
  }
  return {
    name,
    platform: platformText(config) ?? `${config.os}/${config.architecture}`,
    imageId: manifest.config.digest,
    manifest: bytes,
    manifestDigest: descriptor.digest,
    manifestMediaType: descriptor.mediaType,
    configBytes,
    config,
    layers: manifest.layers.map((layer, at): OpenableLayer => ({
      descriptor: layer,
      diffId: diffIds[at]!,
      places: store.places,
      open: (signal) => store.layer(layer, signal),
    })),
  };
}

/** Says whether a media type is that of an index of several platforms. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MediaType.index || mediaType === MediaType.dockerIndex;
}

/** A platform as its usual name, if it has one: what a document says may be anything. */
export function platformText({ os, architecture, variant }: Partial<Platform>): string | undefined {
  if (os === undefined || architecture === undefined || os === "unknown") return undefined;
  try {
    return formatPlatform(parsePlatform([os, architecture, ...variant ? [variant] : []].join("/")));
  } catch {
    return undefined;
  }
}
