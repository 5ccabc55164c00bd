/** Publishing one image under its content tags: found, copied from another registry, or uploaded. */

import type { Listing, LocalImage } from "../../model/image.ts";
import { type Manifest, MediaType } from "../../model/oci.ts";
import { encodeIndex, encodeManifest, parseManifest } from "../../oci/documents.ts";
import type { OnBytes } from "./blobs.ts";
import { copyPublished } from "./copy.ts";
import { KEY_ANNOTATION, type Published } from "./lookup.ts";
import { type PublishByTool, publishByTool } from "./by_tool.ts";
import { listedChild, publishedManifest, withoutOwn } from "./published_manifest.ts";
import { putTagged, type Tagged, type Target } from "./target.ts";
import { untilKnown } from "./until_known.ts";

/** One platform of an image that is to be published. */
export interface PlatformPart {
  readonly platform: string;
  readonly key: string;
  /** Annotations of this platform's manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** How an index that the tool made lists it. */
  readonly listing?: Listing;
  /** Opens the image; called only if something of it must be read. */
  readonly open: () => Promise<LocalImage>;
  readonly onBytes?: OnBytes;
}

/** An image that is to be published. */
export interface ContentItem {
  /** One, or several with an `indexKey`. */
  readonly parts: readonly PlatformPart[];
  /** Key of the index, where there are several platforms. */
  readonly indexKey?: string;
  /** Annotations of all manifests. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Annotations of what mutable tags stand for: the index where there is one. */
  readonly topAnnotations: () => Promise<Readonly<Record<string, string>>>;
  /** Tags whose images may hold layers of this one. */
  readonly formerTags: () => Promise<readonly string[]>;
  /** Publishes all of it by its tool's own means, instead of natively. */
  readonly publish?: PublishByTool;
}

/** What became of an image's content. */
export interface ContentOutcome {
  /** What the mutable tags are to stand for. */
  readonly top: Tagged;
  /** Platform → what its content tag stands for. */
  readonly parts: ReadonlyMap<string, Tagged>;
}

/** Publishes an image's content. Other sources are asked in their order. */
export async function publishContent(
  item: ContentItem,
  target: Target,
  sources: readonly Target[],
  force: boolean,
): Promise<ContentOutcome> {
  const { indexKey } = item;
  const parts = new Map<string, Tagged>();
  if (indexKey !== undefined && !force) {
    const there = await target.find(indexKey);
    if (there !== undefined) {
      for (const { platform, key } of item.parts) {
        const published = await target.find(key);
        if (published !== undefined) parts.set(platform, { status: "current", published });
      }
      return { top: { status: "current", published: there }, parts };
    }
    const copied = await copyFrom(sources, indexKey, target);
    if (copied !== undefined) {
      for (const { platform, key } of item.parts) {
        const child = copied.children.get(key);
        if (child !== undefined) parts.set(platform, child);
      }
      return { top: copied.top, parts };
    }
  }
  if (item.publish !== undefined) {
    const [{ platform, key }] = item.parts as [PlatformPart];
    const known = indexKey === undefined ? await findPart(key, target, sources, force) : undefined;
    if (known !== undefined) return { top: known, parts: new Map([[platform, known]]) };
    return await publishByTool(item, item.publish, target);
  }
  for (const part of item.parts) {
    parts.set(part.platform, await publishPart(item, part, target, sources, force));
  }
  const [only] = parts.values();
  if (indexKey === undefined) return { top: only!, parts };
  return { top: await putIndex(item, indexKey, parts, target, force), parts };
}

/** What publishing an image's content would come to, and what is there already. */
export async function previewContent(
  key: string,
  target: Target,
  sources: readonly Target[],
  force: boolean,
): Promise<{ readonly status: Tagged["status"]; readonly there?: Published }> {
  if (force) return { status: "pushed" };
  const there = await target.find(key);
  if (there !== undefined) return { status: "current", there };
  for (const source of sources) {
    if (await source.find(key) !== undefined) return { status: "copied" };
  }
  return { status: "pushed" };
}

async function publishPart(
  item: ContentItem,
  part: PlatformPart,
  target: Target,
  sources: readonly Target[],
  force: boolean,
): Promise<Tagged> {
  const known = await findPart(part.key, target, sources, force);
  if (known !== undefined) return known;
  for (const tag of await item.formerTags()) await target.blobs.learn(target.repository, tag);
  return await untilKnown(target, async () => {
    const [top, manifest] = await Promise.all([
      item.indexKey === undefined ? item.topAnnotations() : {},
      uploadImage(await part.open(), target, part.onBytes),
    ]);
    const annotations = {
      ...manifest.annotations,
      ...item.annotations,
      ...part.annotations,
      ...top,
      [KEY_ANNOTATION]: part.key,
    };
    const bytes = encodeManifest({ ...manifest, annotations }, true);
    const content = { key: part.key, mediaType: MediaType.manifest, bytes };
    return await putTagged(target, content, "pushed", force);
  });
}

/** A platform's image, there already or copied from where it is. */
async function findPart(
  key: string,
  target: Target,
  sources: readonly Target[],
  force: boolean,
): Promise<Tagged | undefined> {
  if (force) return undefined;
  const there = await target.find(key);
  if (there !== undefined) return { status: "current", published: there };
  return (await copyFrom(sources, key, target))?.top;
}

async function copyFrom(sources: readonly Target[], key: string, target: Target) {
  for (const source of sources) {
    const found = await source.find(key);
    if (found !== undefined) return await copyPublished(key, found, source, target);
  }
  return undefined;
}

async function putIndex(
  item: ContentItem,
  indexKey: string,
  parts: ReadonlyMap<string, Tagged>,
  target: Target,
  force: boolean,
): Promise<Tagged> {
  const manifests = item.parts.map(({ platform, listing }) =>
    listedChild(parts.get(platform)!.published.descriptor, platform, listing)
  );
  const annotations = {
    ...withoutOwn(Object.assign({}, ...item.parts.map(({ listing }) => listing?.annotations))),
    ...item.annotations,
    ...await item.topAnnotations(),
    [KEY_ANNOTATION]: indexKey,
  };
  const bytes = encodeIndex({ manifests, annotations }, true);
  const content = { key: indexKey, mediaType: MediaType.index, bytes };
  return await putTagged(target, content, "pushed", force);
}

/** Brings an image's blobs; answers with its manifest as it was built, naming them as they are there. */
async function uploadImage(
  image: LocalImage,
  { blobs, repository }: Target,
  onBytes: OnBytes | undefined,
): Promise<Manifest> {
  const built = parseManifest(image.manifest, image.name);
  const [layers] = await Promise.all([
    Promise.all(image.layers.map((layer) => blobs.bringLayer(repository, layer, onBytes))),
    blobs.bring(repository, built.config, () => image.configBytes),
  ]);
  return publishedManifest(built, layers);
}
