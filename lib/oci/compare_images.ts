/** What differs between two images: config, packages, files, layers. */

import type { Digest } from "../model/digest.ts";
import type { LocalImage } from "../model/image.ts";
import { imageFilesystem } from "./cached_listing.ts";
import { compareConfigs, type ConfigChange } from "./compare_configs.ts";
import { compareFiles, type FileChange } from "./compare_files.ts";
import { comparePackages, type PackageChange } from "./compare_packages.ts";
import type { ImageFilesystem } from "./filesystem.ts";
import { packagesOf } from "./packages.ts";

/** One side of a comparison. */
export interface ComparedImage {
  readonly name: string;
  readonly imageId: Digest;
  /** Digest of the manifest. */
  readonly digest: Digest;
  /** Bytes of the files that a container sees. */
  readonly bytes: number;
  /** How many of its layers the other image does not have. */
  readonly ownLayers: number;
}

/** Two images beside each other. */
export interface ImageComparison {
  readonly platform: string;
  /** The image IDs are the same: config and content do not differ. */
  readonly same: boolean;
  readonly before: ComparedImage;
  readonly after: ComparedImage;
  /** Layers that both have. */
  readonly sharedLayers: number;
  readonly config: readonly ConfigChange[];
  readonly packages: readonly PackageChange[];
  readonly files: readonly FileChange[];
}

/** Compares two images; layers whose contents were never listed are read. */
export async function compareImages(
  before: LocalImage,
  after: LocalImage,
  cacheDir: string,
  signal?: AbortSignal,
): Promise<ImageComparison> {
  const same = before.imageId === after.imageId;
  const options = { contents: !same };
  const old = await imageFilesystem(before, cacheDir, signal, options);
  const now = same ? old : await imageFilesystem(after, cacheDir, signal, options);
  const shared = sharedLayers(before, after);
  return {
    platform: after.platform,
    same,
    before: sideOf(before, old, shared),
    after: sideOf(after, now, shared),
    sharedLayers: shared.size,
    config: compareConfigs(before.config, after.config),
    packages: comparePackages(packagesOf(old), packagesOf(now)),
    files: compareFiles(old.entries(), now.entries()),
  };
}

function sharedLayers(before: LocalImage, after: LocalImage): Set<Digest> {
  const old = new Set(before.layers.map(({ diffId }) => diffId));
  return new Set(after.layers.map(({ diffId }) => diffId).filter((diffId) => old.has(diffId)));
}

function sideOf(
  image: LocalImage,
  filesystem: ImageFilesystem,
  shared: ReadonlySet<Digest>,
): ComparedImage {
  const files = filesystem.entries().filter(({ hardLinkTo }) => hardLinkTo === undefined);
  return {
    name: image.name,
    imageId: image.imageId,
    digest: image.manifestDigest,
    bytes: files.reduce((total, { size }) => total + size, 0),
    ownLayers: image.layers.filter(({ diffId }) => !shared.has(diffId)).length,
  };
}
