/** Base images: what a reference means now, and the image of one platform at a digest. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { LocalImage, OpenableLayer } from "../model/image.ts";
import { type Descriptor, type Manifest, MediaType } from "../model/oci.ts";
import { formatPlatform, parsePlatform } from "../model/platform.ts";
import { formatReference, type Reference } from "../model/reference.ts";
import { parseConfig, parseIndex, parseManifest } from "../oci/documents.ts";
import type { RegistryClient } from "./client.ts";
import { RegistryFault } from "./faults.ts";

/** The tag that is meant where a reference names neither tag nor digest. */
const DEFAULT_TAG = "latest";

/** A repository that may hold a base: its own, or a mirror's. */
export interface Holder {
  readonly client: RegistryClient;
  readonly repository: string;
}

/** Manifests and configs by digest that were read before, so that a pinned base needs no network. */
export interface Documents {
  /** The bytes, checked; undefined where they are not kept. */
  read(digest: Digest): Promise<Uint8Array | undefined>;
  keep(mediaType: string, bytes: Uint8Array): Promise<unknown>;
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
  const found = await firstOf(
    holders,
    ({ client, repository }) => client.probe(repository, reference.tag ?? DEFAULT_TAG),
  );
  if (found !== undefined) return found.digest;
  throw new Fault(`There is no image ${formatReference(reference)}`, {
    where: reference.host,
    next: "correct the reference, or push the image first",
  });
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
 * @param documents what was read before, and where what is read now is kept.
 * @throws {Fault} when it has no image for the platform.
 */
export async function openBase(
  holders: readonly Holder[],
  reference: Reference,
  digest: Digest,
  platform: string,
  documents: Documents,
): Promise<LocalImage> {
  const { repository, host } = reference;
  const name = formatReference(reference);
  const { descriptor, bytes } = await manifestFor(holders, reference, digest, platform, documents);
  const manifest: Manifest = parseManifest(bytes, name);
  const configBytes = await configOf(holders, manifest.config, documents);
  const config = parseConfig(configBytes, name);
  const { os, architecture } = parsePlatform(platform);
  if (config.os !== os || config.architecture !== architecture) {
    throw wrongPlatform(name, platform, [`${config.os}/${config.architecture}`]);
  }
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new Fault("The base's config and manifest name different layers", { where: name });
  }
  const layers = manifest.layers.map((layer, at): OpenableLayer => ({
    descriptor: layer,
    diffId: diffIds[at]!,
    places: [{ at: "registry", host, repository }],
    open: (signal) => openBaseLayer(holders, layer, signal),
  }));
  return {
    name,
    platform,
    imageId: manifest.config.digest,
    manifest: bytes,
    manifestDigest: descriptor.digest,
    manifestMediaType: descriptor.mediaType,
    configBytes,
    config,
    layers,
  };
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
  documents: Documents,
): Promise<{ descriptor: Descriptor; bytes: Uint8Array }> {
  const name = formatReference(reference);
  const read = (each: Digest) => readManifest(holders, each, documents, name);
  const found = await read(digest);
  if (found === undefined) {
    throw new Fault(`The base ${name} no longer has the digest ${digest}`, {
      where: reference.host,
      next: "run with --pull, or `images pin --update` where it is pinned",
    });
  }
  const { mediaType } = found.descriptor;
  if (mediaType !== MediaType.index && mediaType !== MediaType.dockerIndex) return found;
  const children = parseIndex(found.bytes, name).manifests.filter((child) =>
    child.platform !== undefined
  );
  const child = children.find((each) => sameOrDefault(each, platform));
  if (child === undefined) {
    throw wrongPlatform(name, platform, children.map((each) => formatPlatform(each.platform!)));
  }
  const manifest = await read(child.digest);
  if (manifest !== undefined) return manifest;
  throw new Fault(`The base ${name} names a manifest that is not there`, { where: reference.host });
}

async function readManifest(
  holders: readonly Holder[],
  digest: Digest,
  documents: Documents,
  where: string,
): Promise<{ descriptor: Descriptor; bytes: Uint8Array } | undefined> {
  const kept = await documents.read(digest);
  if (kept !== undefined) {
    const descriptor = { mediaType: mediaTypeOf(kept, where), digest, size: kept.length };
    return { descriptor, bytes: kept };
  }
  const found = await firstOf(
    holders,
    ({ client, repository }) => client.manifest(repository, digest),
  );
  if (found !== undefined) await documents.keep(found.descriptor.mediaType, found.bytes);
  return found;
}

/** What a document says it is; one that does not say is told by what it holds. */
function mediaTypeOf(bytes: Uint8Array, where: string): string {
  try {
    return parseIndex(bytes, where).mediaType ?? MediaType.index;
  } catch {
    return parseManifest(bytes, where).mediaType ?? MediaType.manifest;
  }
}

async function configOf(
  holders: readonly Holder[],
  descriptor: Descriptor,
  documents: Documents,
): Promise<Uint8Array> {
  const kept = await documents.read(descriptor.digest);
  if (kept !== undefined) return kept;
  const bytes = await oneOf(
    holders,
    ({ client, repository }) => client.smallBlob(repository, descriptor),
  );
  await documents.keep(descriptor.mediaType, bytes);
  return bytes;
}

/** The very platform; a variant that is the architecture's default goes without saying. */
function sameOrDefault({ platform }: Descriptor, wanted: string): boolean {
  if (platform === undefined) return false;
  const { os, architecture, variant } = platform;
  const text = variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
  if (!/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9]+)?$/.test(text)) return false;
  return formatPlatform(parsePlatform(text)) === wanted;
}

function wrongPlatform(name: string, platform: string, has: readonly string[]): Fault {
  const known = has.filter((each) => !each.startsWith("unknown/"));
  return new Fault(`The base ${name} has no image for ${platform}, only for ${known.join(", ")}`, {
    next: "choose another base, or correct `platforms`",
  });
}
