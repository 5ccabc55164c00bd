/** Listings of layers, read once and kept by diff ID. */

import { hexOf } from "../model/digest.ts";
import type { LocalImage, OpenableLayer } from "../model/image.ts";
import { ImageFilesystem, type Listing, listLayer } from "./filesystem.ts";

/** The files of an image, layers on top of each other. */
export async function imageFilesystem(
  image: LocalImage,
  cacheDir: string,
  signal?: AbortSignal,
): Promise<ImageFilesystem> {
  const listings: Listing[] = [];
  for (const layer of image.layers) listings.push(await cachedListing(layer, cacheDir, signal));
  return new ImageFilesystem(listings);
}

/** A layer's listing from the cache, or from the layer, whose listing is then kept. */
export async function cachedListing(
  layer: OpenableLayer,
  cacheDir: string,
  signal?: AbortSignal,
): Promise<Listing> {
  const path = `${cacheDir}/listings/${hexOf(layer.diffId)}.json`;
  const known = readIfThere(path);
  if (known !== undefined) return known;
  const listing = await listLayer(layer, signal);
  Deno.mkdirSync(`${cacheDir}/listings`, { recursive: true });
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  Deno.writeTextFileSync(temporary, JSON.stringify(listing));
  Deno.renameSync(temporary, path);
  return listing;
}

function readIfThere(path: string): Listing | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(path)) as Listing;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
