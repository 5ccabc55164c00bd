/** Handing an image to other tools: as an OCI layout, an OCI archive or a Docker archive. */

import { digestOfHex, hexOf } from "../model/digest.ts";
import { Fault, usageFault } from "../model/errors.ts";
import type { LocalImage, OpenableLayer } from "../model/image.ts";
import { type Descriptor, MediaType } from "../model/oci.ts";
import { parsePlatform } from "../model/platform.ts";
import { encodeIndex } from "../oci/documents.ts";
import { uncompressedSize } from "../oci/listing.ts";
import { hashBytes } from "../oci/hash.ts";
import { type TarEntry, writeTar } from "../oci/tar.ts";
import { decompress } from "../oci/decompress.ts";
import { replaceFile } from "../store/atomic.ts";
import { writeNamed } from "../store/named_file.ts";

/** Where an image goes, and in which form. */
export interface Destination {
  readonly form: "oci" | "oci-archive" | "docker-archive";
  /** Absolute path. */
  readonly path: string;
}

/** Reads `oci:DIR`, `oci-archive:FILE` or `docker-archive:FILE`; paths are relative to `cwd`. */
export function parseDestination(text: string, cwd: string): Destination {
  const at = text.indexOf(":");
  const form = text.slice(0, at);
  const path = text.slice(at + 1);
  const known = form === "oci" || form === "oci-archive" || form === "docker-archive";
  if (!known || path === "") {
    throw usageFault(`Cannot export to "${text}"`, {
      next: "write --to oci:DIR, oci-archive:FILE or docker-archive:FILE",
    });
  }
  return { form, path: path.startsWith("/") ? path : `${cwd}/${path}` };
}

/** Writes an image of one or several platforms. */
export async function exportImage(
  name: string,
  platforms: readonly LocalImage[],
  destination: Destination,
  signal: AbortSignal,
): Promise<void> {
  if (destination.form === "docker-archive") {
    const [only, ...others] = platforms;
    if (only === undefined || others.length > 0) {
      throw usageFault(`A Docker archive holds one platform, and "${name}" has several`, {
        next: "choose one with --platform, or export to oci-archive:FILE",
      });
    }
    await writeNamed(destination.path, dockerArchive(name, only, signal));
    return;
  }
  const files = await layoutFiles(name, platforms);
  if (destination.form === "oci") await writeFolder(destination.path, files, signal);
  else await writeNamed(destination.path, writeTar(tarEntries(files, signal)));
}

/** A Docker archive of one platform, as `docker load` reads it. */
export function dockerArchive(
  name: string,
  image: LocalImage,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  return writeTar(dockerEntries(name, image, signal));
}

/** A file of a layout: bytes at hand, or a layer. */
type LayoutFile =
  & { readonly path: string }
  & (
    | { readonly bytes: Uint8Array }
    | { readonly layer: OpenableLayer }
  );

async function layoutFiles(name: string, platforms: readonly LocalImage[]): Promise<LayoutFile[]> {
  const files = new Map<string, LayoutFile>();
  const addBytes = (digest: string, bytes: Uint8Array) => {
    const path = blobPath(digest);
    files.set(path, { path, bytes });
  };
  for (const image of platforms) {
    addBytes(image.manifestDigest, image.manifest);
    addBytes(image.imageId, image.configBytes);
    for (const layer of image.layers) {
      const path = blobPath(layer.descriptor.digest);
      files.set(path, { path, layer });
    }
  }
  const top = await topDescriptor(platforms, addBytes);
  const annotations = { "org.opencontainers.image.ref.name": name };
  const index = {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: [{ ...top, annotations }],
  };
  const encoder = new TextEncoder();
  return [
    { path: "oci-layout", bytes: encoder.encode('{"imageLayoutVersion":"1.0.0"}') },
    { path: "index.json", bytes: encoder.encode(JSON.stringify(index)) },
    ...files.values(),
  ];
}

/** The one manifest, or an index over all. */
async function topDescriptor(
  platforms: readonly LocalImage[],
  addBytes: (digest: string, bytes: Uint8Array) => void,
): Promise<Descriptor> {
  const manifests = platforms.map((image) => ({
    mediaType: image.manifestMediaType,
    digest: image.manifestDigest,
    size: image.manifest.length,
    platform: parsePlatform(image.platform),
  }));
  const [only] = manifests;
  if (only !== undefined && manifests.length === 1) return only;
  const bytes = encodeIndex({ manifests });
  const digest = digestOfHex(await hashBytes(bytes));
  addBytes(digest, bytes);
  return { mediaType: MediaType.index, digest, size: bytes.length };
}

async function writeFolder(
  folder: string,
  files: readonly LayoutFile[],
  signal: AbortSignal,
): Promise<void> {
  await makeFolder(folder);
  for (const file of files.toReversed()) {
    const path = `${folder}/${file.path}`;
    const content = "bytes" in file ? [file.bytes] : await file.layer.open(signal);
    await replaceFile(path, content);
  }
}

/** Some places hold no folders of ours, and the system says of them only that there is nothing. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(`${folder}/blobs/sha256`, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Fault("No folder can be made there", {
      where: folder,
      next: "name a folder in a place that can be written",
      cause: error,
    });
  }
}

async function* tarEntries(
  files: readonly LayoutFile[],
  signal: AbortSignal,
): AsyncIterable<TarEntry> {
  for (const file of files) {
    if ("bytes" in file) yield fileEntry(file.path, file.bytes.length, file.bytes);
    else {
      const { layer } = file;
      yield fileEntry(file.path, layer.descriptor.size, () => opened(layer, signal));
    }
  }
}

async function* dockerEntries(
  name: string,
  image: LocalImage,
  signal: AbortSignal,
): AsyncIterable<TarEntry> {
  const config = `${hexOf(image.imageId)}.json`;
  const paths = image.layers.map((layer) => `${hexOf(layer.diffId)}.tar`);
  const manifest = [{ Config: config, RepoTags: [`${name}:latest`], Layers: paths }];
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  yield fileEntry("manifest.json", bytes.length, bytes);
  yield fileEntry(config, image.configBytes.length, image.configBytes);
  const written = new Set<string>();
  for (const [at, layer] of image.layers.entries()) {
    const path = paths[at]!;
    if (written.has(path)) continue;
    written.add(path);
    const size = await uncompressedSize(layer, signal);
    yield fileEntry(path, size, () => unpacked(layer, signal));
  }
}

async function* opened(layer: OpenableLayer, signal: AbortSignal): AsyncIterable<Uint8Array> {
  yield* await layer.open(signal);
}

async function* unpacked(layer: OpenableLayer, signal: AbortSignal): AsyncIterable<Uint8Array> {
  yield* decompress(await layer.open(signal), layer.descriptor.mediaType);
}

function fileEntry(path: string, size: number, content: TarEntry["content"]): TarEntry {
  const common = { path, type: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0, size } as const;
  return content === undefined ? common : { ...common, content };
}

function blobPath(digest: string): string {
  return `blobs/sha256/${digest.slice("sha256:".length)}`;
}
