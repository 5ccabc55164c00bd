/** A built manifest as it is published: all of it, but what our own layers become on the way. */

import type { Listing } from "../../model/image.ts";
import { type Descriptor, type Manifest, MediaType } from "../../model/oci.ts";
import { parsePlatform } from "../../model/platform.ts";

/** In front of annotations that are ours, and say something of one publication. */
const OWN_PREFIX = "dev.images.";

/**
 * The manifest with its layers named as a registry has them. What was built besides stays, fields
 * that are not known here too: lazy snapshotters go by annotations of layers.
 *
 * @param layers what each layer became.
 */
export function publishedManifest(built: Manifest, layers: readonly Descriptor[]): Manifest {
  const { annotations = {} } = built;
  return {
    ...built,
    config: { ...built.config, mediaType: ociType(built.config.mediaType) },
    layers: layers.map((layer, at) => publishedLayer(built.layers[at], layer)),
    annotations: withoutOwn(annotations),
  };
}

/** How an index lists a published image: as the index of the tool did, where it made one. */
export function listedChild(
  published: Descriptor,
  platform: string,
  listing: Listing | undefined,
): Descriptor {
  const { urls: _urls, data: _data, ...listed } = listing?.descriptor ?? published;
  const { mediaType, digest, size } = published;
  const named = { ...listed.platform, ...parsePlatform(platform) };
  return { ...listed, mediaType, digest, size, platform: named };
}

/** Annotations without those that are ours. */
export function withoutOwn(
  annotations: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([name]) => !name.startsWith(OWN_PREFIX)),
  );
}

/** Where a layer has other bytes now, only what was noted on it holds any longer. */
function publishedLayer(built: Descriptor | undefined, sent: Descriptor): Descriptor {
  if (built === undefined) return sent;
  if (built.digest === sent.digest) return { ...built, ...sent };
  const { urls: _urls, data: _data, ...noted } = built;
  return { ...noted, ...sent };
}

/** A media type in OCI's words: only OCI's manifests can be annotated. */
export function ociType(mediaType: string): string {
  return OCI_TYPES[mediaType] ?? mediaType;
}

const OCI_TYPES: Record<string, string> = {
  [MediaType.dockerConfig]: MediaType.config,
  [MediaType.dockerLayer]: MediaType.layer,
  [MediaType.dockerLayerGzip]: MediaType.layerGzip,
};
