/** Publishing one image under its content tags: found, copied from another registry, or uploaded. */

import type { Digest } from "../../model/digest.ts";
import { Fault } from "../../model/errors.ts";
import type { LocalImage } from "../../model/image.ts";
import { type Descriptor, MediaType } from "../../model/oci.ts";
import { parsePlatform } from "../../model/platform.ts";
import { encodeIndex, encodeManifest, parseManifest } from "../../oci/documents.ts";
import type { RegistryClient } from "../client.ts";
import type { Blobs, OnBytes } from "./blobs.ts";
import { KEY_ANNOTATION, lookUp, type Published, type TagRules, tagToWrite } from "./lookup.ts";

/** A repository of a registry, and how it is spoken to. */
export interface Target {
  /** Name of the declared registry. */
  readonly registry: string;
  readonly client: RegistryClient;
  readonly blobs: Blobs;
  readonly repository: string;
  readonly rules: TagRules;
  /** What is published under a key, asked for once. */
  readonly find: (key: string) => Promise<Published | undefined>;
}

/** One platform of an image that is to be published. */
export interface PlatformPart {
  readonly platform: string;
  readonly key: string;
  /** Opens the image; called only if something of it must be read. */
  readonly open: () => Promise<LocalImage>;
  readonly onBytes?: OnBytes;
}

/** An image that is to be published. */
export interface ContentItem {
  readonly name: string;
  readonly parts: readonly PlatformPart[];
  /** Key of the index, where there are several platforms. */
  readonly indexKey?: string;
  /** Annotations of each published manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Annotations from git: of the index where there is one. */
  readonly gitAnnotations: Readonly<Record<string, string>>;
  /** Tags whose images may hold layers of this one. */
  readonly formerTags: readonly string[];
}

/** What became of an image's content. */
export interface ContentOutcome {
  readonly status: "current" | "copied" | "pushed";
  /** Key of what the mutable tags are to stand for. */
  readonly topKey: string;
  /** What the mutable tags are to stand for. */
  readonly top: { readonly descriptor: Descriptor; readonly bytes: Uint8Array };
  /** Content tag → digest of each manifest that was written or found. */
  readonly tags: ReadonlyMap<string, Digest>;
  /** Platforms of which the registry held another image under the same key. */
  readonly adopted: ReadonlyMap<string, Published>;
}

/** Publishes an image's content. Other sources are asked in their order. */
export async function publishContent(
  item: ContentItem,
  target: Target,
  sources: readonly Target[],
  force: boolean,
): Promise<ContentOutcome> {
  const key = topKeyOf(item);
  if (!force) {
    const { there, source, found } = await findContent(key, target, sources);
    if (there !== undefined) return outcomeOf("current", key, there);
    if (source !== undefined) {
      await copy(found, source, target);
      return outcomeOf("copied", key, { ...found, tag: tagToWrite(key, target.rules) });
    }
  }
  for (const tag of item.formerTags) await target.blobs.learn(target.repository, tag);
  return await upload(item, target, force);
}

/** What publishing an image's content would come to, and what is there already. */
export async function previewContent(
  item: Pick<ContentItem, "parts" | "indexKey">,
  target: Target,
  sources: readonly Target[],
  force: boolean,
): Promise<{ readonly status: ContentOutcome["status"]; readonly there?: Published }> {
  if (force) return { status: "pushed" };
  const { there, source } = await findContent(topKeyOf(item), target, sources);
  if (there !== undefined) return { status: "current", there };
  return { status: source === undefined ? "pushed" : "copied" };
}

type Finding =
  | { readonly there: Published; readonly source?: undefined; readonly found?: undefined }
  | { readonly there?: undefined; readonly source: Target; readonly found: Published }
  | { readonly there?: undefined; readonly source?: undefined; readonly found?: undefined };

async function findContent(
  key: string,
  target: Target,
  sources: readonly Target[],
): Promise<Finding> {
  const there = await target.find(key);
  if (there !== undefined) return { there };
  for (const source of sources) {
    const found = await source.find(key);
    if (found !== undefined) return { source, found };
  }
  return {};
}

function topKeyOf({ indexKey, parts }: Pick<ContentItem, "parts" | "indexKey">): string {
  return indexKey ?? parts[0]!.key;
}

function outcomeOf(
  status: "current" | "copied",
  topKey: string,
  published: Published,
): ContentOutcome {
  const { descriptor, bytes, tag } = published;
  return {
    status,
    topKey,
    top: { descriptor, bytes },
    tags: new Map([[tag, descriptor.digest]]),
    adopted: new Map(),
  };
}

async function upload(
  item: ContentItem,
  target: Target,
  force: boolean,
): Promise<ContentOutcome> {
  const single = item.indexKey === undefined;
  const tags = new Map<string, Digest>();
  const adopted = new Map<string, Published>();
  const manifests: Descriptor[] = [];
  let top: ContentOutcome["top"] | undefined;
  for (const part of item.parts) {
    const annotations = {
      ...item.annotations,
      ...(single ? item.gitAnnotations : {}),
      [KEY_ANNOTATION]: part.key,
    };
    const image = await part.open();
    const bytes = await uploadImage(image, target, annotations, part.onBytes);
    const written = await putTagged(target, part.key, MediaType.manifest, bytes, force);
    if (written.manifest !== undefined && written.manifest.config.digest !== image.imageId) {
      adopted.set(part.platform, written);
    }
    tags.set(written.tag, written.descriptor.digest);
    manifests.push({ ...written.descriptor, platform: parsePlatform(part.platform) });
    top = written;
  }
  if (item.indexKey !== undefined) {
    const annotations = {
      ...item.annotations,
      ...item.gitAnnotations,
      [KEY_ANNOTATION]: item.indexKey,
    };
    const bytes = encodeIndex({ manifests, annotations });
    top = await putTagged(target, item.indexKey, MediaType.index, bytes, force);
    tags.set(tagToWrite(item.indexKey, target.rules), top.descriptor.digest);
  }
  if (top === undefined) throw new Fault("There is nothing to publish", { where: item.name });
  return { status: "pushed", topKey: topKeyOf(item), top, tags, adopted };
}

/** Brings an image's blobs and makes the manifest it is published with. */
async function uploadImage(
  image: LocalImage,
  target: Target,
  annotations: Readonly<Record<string, string>>,
  onBytes: OnBytes | undefined,
): Promise<Uint8Array> {
  const { blobs, repository } = target;
  const layers = await Promise.all(
    image.layers.map((layer) => blobs.bringLayer(repository, layer, onBytes)),
  );
  const config = {
    mediaType: MediaType.config,
    digest: image.imageId,
    size: image.configBytes.length,
  };
  await blobs.bring(repository, config, () => image.configBytes);
  return encodeManifest({ config, layers, annotations });
}

/** Writes a manifest under a content tag unless one is there by now, which is then adopted. */
async function putTagged(
  target: Target,
  key: string,
  mediaType: string,
  bytes: Uint8Array,
  force: boolean,
): Promise<Published> {
  const { client, repository, rules } = target;
  const tag = tagToWrite(key, rules);
  const there = force ? undefined : await lookUp(client, repository, key, rules);
  if (there !== undefined) return there;
  const digest = await client.putManifest(repository, tag, mediaType, bytes);
  const descriptor = { mediaType, digest, size: bytes.length };
  const manifest = mediaType === MediaType.manifest ? { manifest: parseManifest(bytes, tag) } : {};
  return { tag, descriptor, bytes, ...manifest };
}

/** Copies what one registry holds to another, all platforms of it. */
async function copy(found: Published, source: Target, target: Target): Promise<void> {
  for (const child of found.index?.manifests ?? []) {
    const manifest = await source.client.manifest(source.repository, child.digest);
    if (manifest === undefined) {
      throw new Fault(`The image's manifest ${child.digest} is gone`, {
        where: `${source.client.host}/${source.repository}`,
        next: "push it there again, or push with --force",
      });
    }
    await copyImage(manifest.bytes, source, target);
    const key = parseManifest(manifest.bytes, child.digest).annotations?.[KEY_ANNOTATION];
    const reference = key === undefined ? child.digest : tagToWrite(key, target.rules);
    await target.client.putManifest(target.repository, reference, child.mediaType, manifest.bytes);
  }
  if (found.manifest !== undefined) await copyImage(found.bytes, source, target);
  const tag = found.tag.replace(
    /^content-(?:pr-)?/,
    target.rules.pullRequest ? "content-pr-" : "content-",
  );
  await target.client.putManifest(target.repository, tag, found.descriptor.mediaType, found.bytes);
}

async function copyImage(bytes: Uint8Array, source: Target, target: Target): Promise<void> {
  const { config, layers } = parseManifest(bytes, source.repository);
  const from = source.client.host === target.client.host ? [source.repository] : [];
  await Promise.all([...layers, config].map((descriptor) =>
    target.blobs.bring(
      target.repository,
      descriptor,
      () => source.client.blob(source.repository, descriptor),
      from,
    )
  ));
}
