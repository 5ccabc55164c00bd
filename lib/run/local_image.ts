/** A recorded image whose blobs can be read, wherever they are. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { BlobPlace, Layer, LocalImage, OpenableLayer } from "../model/image.ts";
import { type Descriptor, MediaType } from "../model/oci.ts";
import type { PluginRef } from "../model/recipe.ts";
import { parseConfig, parseManifest } from "../oci/documents.ts";
import type { ImageRecord } from "../store/records.ts";
import type { Session } from "./session.ts";

/** Opens the image that a record stands for. Config and manifest are kept here once fetched. */
export async function localImage(session: Session, record: ImageRecord): Promise<LocalImage> {
  const subject = `${record.name}@${record.platform}`;
  const manifest = await smallBlob(session, record, record.manifest);
  const { config: descriptor, layers: descriptors } = parseManifest(manifest, subject);
  const configBytes = await smallBlob(session, record, descriptor);
  const config = parseConfig(configBytes, subject);
  const layers = record.layers ?? remoteLayers(record, descriptors, config.rootfs.diff_ids);
  const plugin = session.circumstances.project.images.get(record.name)?.plugin;
  return {
    name: record.name,
    platform: record.platform,
    imageId: record.imageId,
    manifest,
    manifestDigest: record.manifest.digest,
    manifestMediaType: record.manifest.mediaType,
    configBytes,
    config,
    layers: layers.map((layer) => openable(session, layer, plugin, subject)),
  };
}

/** A layer that can be opened from the first of its places that has it. */
export function openable(
  session: Session,
  layer: Layer,
  plugin: PluginRef | undefined,
  where: string,
): OpenableLayer {
  const open = async (signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> => {
    const { layout } = session.circumstances;
    if (layout.has(layer.descriptor.digest, layer.descriptor.size)) {
      return await layout.open(layer.descriptor.digest);
    }
    for (const place of layer.places) {
      const stream = await openAt(session, layer, place, plugin, signal);
      if (stream !== undefined) return stream;
    }
    throw new Fault(`The layer ${layer.descriptor.digest} is nowhere to be had`, {
      where,
      next: `build it again with \`images build --force ${where.split("@")[0]}\``,
    });
  };
  const made = layer.places.find((place) => place.at === "plugin");
  const maker = made === undefined ? undefined : makerOf(session, made, plugin);
  if (made === undefined || maker === undefined) return { ...layer, open };
  const list = async () => await (await maker.load()).listLayer?.(layer, made.data);
  return { ...layer, open, list };
}

/** A layer with the name of the plugin that makes it again, where none is noted yet. */
export function withMaker(layer: Layer, plugin: PluginRef): Layer {
  const places = layer.places.map((place) =>
    place.at === "plugin" ? { plugin: plugin.name, ...place } : place
  );
  return { ...layer, places };
}

/** The plugin that makes a layer again: that of the image, or of one that it is on. */
function makerOf(
  { circumstances: { project } }: Session,
  { plugin: name }: BlobPlace & { readonly at: "plugin" },
  own: PluginRef | undefined,
): PluginRef | undefined {
  if (name === undefined || own?.name === name) return own;
  return [...project.images.values()].find(({ plugin }) => plugin.name === name)?.plugin;
}

async function openAt(
  session: Session,
  layer: Layer,
  place: BlobPlace,
  plugin: PluginRef | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  if (place.at === "registry") {
    return await session.registries.openBlob(place, layer.descriptor, signal);
  }
  if (place.at === "layout") return undefined;
  const implementation = await makerOf(session, place, plugin)?.load();
  return await implementation?.openLayer?.(layer, place.data, signal);
}

async function smallBlob(
  session: Session,
  record: ImageRecord,
  descriptor: Descriptor,
): Promise<Uint8Array> {
  const { layout } = session.circumstances;
  const isHere = layout.has(descriptor.digest);
  const intact = await layout.readIntact(descriptor.digest);
  if (intact !== undefined) return intact;
  if (record.remote === undefined) {
    // Says what is wrong with it.
    if (isHere) return await layout.read(descriptor.digest);
    throw new Fault(`The blob ${descriptor.digest} of the last build is gone`, {
      where: record.name,
      next: `build it again with \`images build ${record.name}\``,
    });
  }
  const bytes = await session.registries.readDocument(record.remote, descriptor);
  await layout.write(descriptor.mediaType, bytes);
  return bytes;
}

/** The registry's layers, matched with the config's diff IDs. */
function remoteLayers(
  record: ImageRecord,
  descriptors: readonly Descriptor[],
  diffIds: readonly Digest[],
): Layer[] {
  if (descriptors.length !== diffIds.length) {
    throw new Fault("The published image's config and manifest name different layers", {
      where: `${record.remote?.host}/${record.remote?.repository}`,
      next: `build it again with \`images build --force ${record.name}\``,
    });
  }
  const places: BlobPlace[] = record.remote === undefined
    ? []
    : [{ at: "registry", ...record.remote }];
  return descriptors.map((descriptor, at) => ({ descriptor, diffId: diffIds[at]!, places }));
}

/** The manifest's media type where a plugin's own manifest leaves it out. */
export function mediaTypeOf(manifest: Uint8Array, where: string): string {
  return parseManifest(manifest, where).mediaType ?? MediaType.manifest;
}
