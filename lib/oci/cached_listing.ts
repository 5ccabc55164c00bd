/** Listings of layers, read once and kept by diff ID. */

import { hexOf, shortDigest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { LocalImage, OpenableLayer } from "../model/image.ts";
import { sealed, unsealed } from "../model/sealed.ts";
import { TemporaryFile } from "../util/temporary.ts";
import { ImageFilesystem } from "./filesystem.ts";
import { type Listing, type ListingOptions, listLayer } from "./listing.ts";

/** What a listing tells: another number for another content. */
const SCHEMA = 2;

/** The files of an image, layers on top of each other. */
export async function imageFilesystem(
  image: LocalImage,
  cacheDir: string,
  signal?: AbortSignal,
  options: ListingOptions = {},
): Promise<ImageFilesystem> {
  return new ImageFilesystem(await imageListings(image, cacheDir, signal, options));
}

/** The listing of each layer, the lowest first. */
export async function imageListings(
  image: LocalImage,
  cacheDir: string,
  signal?: AbortSignal,
  options: ListingOptions = {},
): Promise<Listing[]> {
  const listings: Listing[] = [];
  for (const layer of image.layers) {
    try {
      listings.push(await cachedListing(layer, cacheDir, signal, options));
    } catch (error) {
      throw layerFault(image, layer, error);
    }
  }
  return listings;
}

/** Readers of layers do not know whose they are. */
function layerFault(image: LocalImage, { descriptor }: OpenableLayer, error: unknown): unknown {
  if (!(error instanceof Fault) || error.next !== undefined) return error;
  return new Fault(`The layer ${shortDigest(descriptor.digest)} cannot be used: ${error.message}`, {
    kind: error.kind,
    where: image.name,
    next: "use another image, or build that one again with another tool",
    cause: error,
  });
}

/** A layer's listing from the cache, or from the layer, whose listing is then kept. */
export async function cachedListing(
  layer: OpenableLayer,
  cacheDir: string,
  signal?: AbortSignal,
  options: ListingOptions = {},
): Promise<Listing> {
  const suffix = options.contents ? ".contents" : "";
  const path = `${cacheDir}/listings/${hexOf(layer.diffId)}${suffix}.${SCHEMA}.json`;
  const known = readIfThere(path);
  if (known !== undefined) return known;
  const listing = await listLayer(layer, signal, options);
  keep(path, listing);
  return listing;
}

/** One that cannot be kept, for want of room or of rights, is read again next time. */
function keep(path: string, listing: Listing): void {
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    using temporary = TemporaryFile.create(path);
    temporary.write(sealed(listing));
    temporary.moveTo(path);
  } catch {
    // It is made again.
  }
}

function readIfThere(path: string): Listing | undefined {
  try {
    return unsealed<Listing>(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
