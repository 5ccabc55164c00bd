/** What an image consists of: its config, its layers and what made them, its files. */

import type { Digest } from "../model/digest.ts";
import type { LocalImage } from "../model/image.ts";
import type { Json } from "../model/json.ts";
import type { History, ImageConfig } from "../model/oci.ts";
import { fieldsOf } from "./compare_configs.ts";
import { imageListings } from "./cached_listing.ts";
import { ImageFilesystem, type WastedFile } from "./filesystem.ts";
import type { Listing } from "./listing.ts";

/** One layer of an inspected image. */
export interface InspectedLayer {
  /** Digest of the blob. */
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
  /** Size of the blob, in bytes; compressed where the media type says so. */
  readonly size: number;
  /** Files in it. */
  readonly files: number;
  /** Bytes of its files. */
  readonly bytes: number;
  /** What made it, where the config's history tells. */
  readonly createdBy?: string;
}

/** A file of an inspected image. */
export interface InspectedFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** The layer it comes from, counted from 0. */
  readonly layer: number;
}

/** An image looked into. */
export interface Inspection {
  readonly name: string;
  readonly platform: string;
  readonly imageId: Digest;
  /** Digest of the manifest. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** The config's fields but its history, under the names people know them by. */
  readonly config: Readonly<Record<string, Json>>;
  /** The lowest first. */
  readonly layers: readonly InspectedLayer[];
  /** Size of all blobs of layers, in bytes. */
  readonly size: number;
  /** Files that a container sees, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** The largest of them, the largest first. */
  readonly largest: readonly InspectedFile[];
  /** Files of lower layers that higher ones overwrite or delete, the largest first. */
  readonly wasted: { readonly bytes: number; readonly files: readonly WastedFile[] };
}

/**
 * Looks into an image; layers that were never listed are read.
 *
 * @param count how many of the largest files are named.
 */
export async function inspectImage(
  image: LocalImage,
  cacheDir: string,
  count: number,
  signal?: AbortSignal,
): Promise<Inspection> {
  const listings = await imageListings(image, cacheDir, signal);
  const filesystem = new ImageFilesystem(listings);
  // A hard link has the size of what it leads to, whose bytes are there once.
  const files = filesystem.entries().filter(({ type, hardLinkTo }) =>
    type === "file" && hardLinkTo === undefined
  );
  const wasted = filesystem.wasted().sort((a, b) => b.size - a.size);
  const makers = makersOf(image.config, image.layers.length);
  return {
    name: image.name,
    platform: image.platform,
    imageId: image.imageId,
    digest: image.manifestDigest,
    mediaType: image.manifestMediaType,
    config: Object.fromEntries(
      [...fieldsOf(image.config)].filter(([field]) => !field.startsWith("history ")),
    ),
    layers: image.layers.map(({ descriptor: { digest, mediaType, size }, diffId }, at) => ({
      ...{ digest, diffId, mediaType, size },
      ...contentOf(listings[at]!),
      ...(makers[at] === undefined ? {} : { createdBy: makers[at] }),
    })),
    size: sum(image.layers.map(({ descriptor }) => descriptor.size)),
    files: files.length,
    bytes: sum(files.map(({ size }) => size)),
    largest: files.sort((a, b) => b.size - a.size).slice(0, count)
      .map(({ path, size, layer }) => ({ path, size, layer })),
    wasted: { bytes: sum(wasted.map(({ size }) => size)), files: wasted },
  };
}

/** What made each of so many layers; empty where the config's history does not tell. */
export function makersOf({ history }: ImageConfig, layers: number): (string | undefined)[] {
  const made = (history ?? []).filter((entry) => !entry.empty_layer);
  return made.length === layers ? made.map(maker) : [];
}

/** Docker's builders wrap an instruction in how they ran it. */
function maker({ created_by: text, comment }: History): string | undefined {
  if (typeof text !== "string" || text === "") return comment;
  const plain = text
    .replace(/^\/bin\/sh -c #\(nop\)\s*/, "")
    .replace(/\s*# buildkit$/, "")
    .replace(/^RUN (\|\d+ .*?)?\/bin\/sh -c /, "RUN ");
  return plain.replace(/^\/bin\/sh -c /, "RUN ").replaceAll(/\s+/g, " ").trim();
}

function contentOf({ files }: Listing): { files: number; bytes: number } {
  const plain = files.filter(({ type }) => type === "file");
  return { files: plain.length, bytes: sum(plain.map(({ size }) => size)) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
