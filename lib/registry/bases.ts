/** Base images: what a reference means now, and the image of one platform at a digest. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { LocalImage } from "../model/image.ts";
import type { Descriptor, ImageConfig } from "../model/oci.ts";
import { parsePlatform } from "../model/platform.ts";
import { formatReference, type Reference } from "../model/reference.ts";
import { imageFor, imagesOf } from "../oci/image_index.ts";
import {
  type ImageStore,
  isIndexType,
  type ManifestBytes,
  openImage,
  platformText,
} from "../oci/open_image.ts";
import type { RegistryClient } from "./client.ts";
import { RegistryFault } from "./faults.ts";
import { type Kept, keptManifest, keptStore } from "./kept.ts";

/** The tag that is meant where a reference names neither tag nor digest. */
export const DEFAULT_TAG = "latest";

/** A repository that may hold a base: its own, or a mirror's. */
export interface Holder {
  readonly client: RegistryClient;
  readonly repository: string;
}

/**
 * The digest that a reference stands for now.
 *
 * @param holders asked one after the other.
 * @throws {Fault} when there is no such image.
 */
export async function resolveReference(
  holders: readonly Holder[],
  reference: Reference,
): Promise<Digest> {
  if (reference.digest !== undefined) return reference.digest;
  const tag = reference.tag ?? DEFAULT_TAG;
  const asking = firstOf(holders, ({ client, repository }) => client.probe(repository, tag));
  const found = await naming({ ...reference, tag }, asking);
  if (found !== undefined) return found.digest;
  throw new Fault(`There is no image ${formatReference(reference)}`, {
    where: reference.host,
    next: "correct the reference, or push the image first",
  });
}

/** What a request answers; a failure is told of the reference that it is for. */
async function naming<T>(reference: Reference, asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    throw error instanceof RegistryFault ? error.with({}, formatReference(reference)) : error;
  }
}

/** The first answer there is; the last holder's failure where there is none. */
async function firstOf<T>(
  holders: readonly Holder[],
  ask: (holder: Holder) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const [at, holder] of holders.entries()) {
    try {
      const answer = await ask(holder);
      if (answer !== undefined) return answer;
    } catch (error) {
      if (!(error instanceof RegistryFault) || at === holders.length - 1) throw error;
    }
  }
  return undefined;
}

/** The first that answers, of which one must. */
async function oneOf<T>(
  holders: readonly Holder[],
  ask: (holder: Holder) => Promise<T>,
): Promise<T> {
  return await firstOf(holders, ask) as T;
}

/**
 * Opens the image of one platform. Only manifests and the config are fetched; layers when they are
 * opened.
 *
 * @param holders asked one after the other.
 * @param digest of the index or manifest.
 * @param kept what was read before, and where what is read now is kept.
 * @throws {Fault} when it has no image for the platform.
 */
export async function openBase(
  holders: readonly Holder[],
  reference: Reference,
  digest: Digest,
  platform: string,
  kept: Kept,
): Promise<LocalImage> {
  const name = formatReference(reference);
  const store = keptStore(repositoryStore(holders, reference), kept);
  const found = await manifestFor(holders, reference, digest, platform, kept, store);
  const image = await openImage(store, found, name);
  if (!isArchitectureOf(image.config, platform)) {
    throw wrongPlatform(name, platform, [image.platform]);
  }
  return { ...image, platform };
}

/** Configs write architectures in more than one way; variants were settled by the index. */
function isArchitectureOf(config: ImageConfig, platform: string): boolean {
  const text = platformText(config);
  if (text === undefined) return false;
  const [is, wanted] = [parsePlatform(text), parsePlatform(platform)];
  return is.os === wanted.os && is.architecture === wanted.architecture;
}

/** A repository as the place of an image. */
export function repositoryStore(
  holders: readonly Holder[],
  { host, repository }: Reference,
): ImageStore {
  return {
    config: (descriptor) =>
      oneOf(holders, (holder) => holder.client.smallBlob(holder.repository, descriptor)),
    layer: (descriptor, signal) => openBaseLayer(holders, descriptor, signal),
    places: [{ at: "registry", host, repository }],
  };
}

/** A manifest or index by tag or digest; undefined where there is none. */
export function readManifest(
  holders: readonly Holder[],
  which: string,
): Promise<ManifestBytes | undefined> {
  return firstOf(holders, ({ client, repository }) => client.manifest(repository, which));
}

/** A layer's bytes, checked while they stream. */
export function openBaseLayer(
  holders: readonly Holder[],
  layer: Descriptor,
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  return oneOf(holders, ({ client, repository }) => client.blob(repository, layer, signal));
}

async function manifestFor(
  holders: readonly Holder[],
  reference: Reference,
  digest: Digest,
  platform: string,
  kept: Kept,
  store: ImageStore,
): Promise<ManifestBytes> {
  const name = formatReference(reference);
  const read = (each: Digest) =>
    keptManifest(each, kept, () => naming(reference, readManifest(holders, each)));
  const found = await read(digest);
  if (found === undefined) {
    throw new Fault(`The base ${name} no longer has the digest ${digest}`, {
      where: reference.host,
      next: "run with --pull, or `images pin --update` where it is pinned",
    });
  }
  if (!isIndexType(found.descriptor.mediaType)) return found;
  const reader = { manifest: (child: Descriptor) => read(child.digest), config: store.config };
  const child = await imageFor(found, platform, reader, name);
  if (child === undefined) {
    throw wrongPlatform(name, platform, [...(await imagesOf(found, reader, name)).keys()]);
  }
  const manifest = await read(child.digest);
  if (manifest !== undefined) return manifest;
  throw new Fault(`The base ${name} names a manifest that is not there`, { where: reference.host });
}

function wrongPlatform(name: string, platform: string, has: readonly string[]): Fault {
  const only = has.length === 0 ? "and for no other" : `only for ${has.join(", ")}`;
  return new Fault(`The base ${name} has no image for ${platform}, ${only}`, {
    next: "choose another base, or correct `platforms`",
  });
}
