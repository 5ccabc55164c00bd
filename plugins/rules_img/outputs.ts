/** From a target's output groups to an image: exact documents, layers copied into the layout. */

import { type Digest, digestOfHex, hexOf } from "../../lib/model/digest.ts";
import { Fault } from "../../lib/model/errors.ts";
import type { ImageSource, Layer, Listing } from "../../lib/model/image.ts";
import {
  type Descriptor,
  type ImageConfig,
  type Manifest,
  MediaType,
} from "../../lib/model/oci.ts";
import { formatPlatform, parsePlatform } from "../../lib/model/platform.ts";
import type { BuildContext, BuildRequest } from "../../lib/model/plugin.ts";
import { parseConfig, parseIndex, parseManifest } from "../../lib/oci/documents.ts";
import { hashBytes } from "../../lib/oci/hash.ts";
import { isIndexType } from "../../lib/oci/open_image.ts";
import { isFile } from "./closure/reading.ts";
import type { BuiltFile, BuiltTarget } from "./bazel/events.ts";
import type { DescribedLayers } from "./described.ts";
import { withLabels } from "./labels.ts";
import { readRegularFile, readRegularText } from "../../lib/util/regular_file.ts";

/** The output groups that an image is made from. */
export const OUTPUT_GROUPS: readonly string[] = ["digest", "root_blob", "oci_layout"];

const NAME_AN_IMAGE = "let `target` name an image_manifest or image_index of rules_img";

/** Says whether all that an image is made from is on this machine. */
export function isLocal({ groups }: BuiltTarget): boolean {
  return OUTPUT_GROUPS.flatMap((name) => groups.get(name) ?? []).every(({ path }) => isFile(path));
}

/** Reads what a target made; its layers that are only described stay where they are. */
export async function imageSource(
  { image, context }: BuildRequest,
  label: string,
  target: BuiltTarget,
  described: DescribedLayers,
): Promise<ImageSource> {
  const root = await readRoot(target, label, context.name);
  const blobs = blobsOf(target);
  const documents = await documentsFor(context, label, root, blobs);
  const { bytes, manifest, config, configBytes } = documents;
  const listing = documents.listing === undefined ? {} : { listing: documents.listing };
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new Fault(`The manifest and the config of ${label} name different layers`, {
      where: context.name,
    });
  }
  const layers = await Promise.all(
    manifest.layers.map((descriptor, at) =>
      layerOf(context, label, descriptor, diffIds[at]!, blobs, described)
    ),
  );
  const { labels } = image.common;
  if (Object.keys(labels).length > 0) {
    return { ...await withLabels(config, manifest, layers, labels), ...listing };
  }
  return { config: configBytes, manifest: bytes, layers, ...listing };
}

/** The root blob: a manifest or an index, checked against the digest that Bazel gave. */
async function readRoot(
  { groups }: BuiltTarget,
  label: string,
  where: string,
): Promise<Uint8Array> {
  const [file] = groups.get("root_blob") ?? [];
  const [digestFile] = groups.get("digest") ?? [];
  const missing = OUTPUT_GROUPS.filter((name) => (groups.get(name) ?? []).length === 0);
  if (file === undefined || digestFile === undefined || missing.length > 0) {
    const names = missing.join(", ");
    throw new Fault(`${label} has no image outputs in ${groupsText(missing)} ${names}`, {
      where,
      next: missing.length === OUTPUT_GROUPS.length
        ? `${NAME_AN_IMAGE}; images of other rules, such as rules_oci, are not read`
        : `${NAME_AN_IMAGE}, and update rules_img if it is older than these output groups`,
    });
  }
  const bytes = readRegularFile(file.path);
  const digest = readRegularText(digestFile.path).trim();
  if (digest === digestOfHex(await hashBytes(bytes))) return bytes;
  throw new Fault(`${label} was built again while its outputs were read`, {
    where,
    next: "run the command again",
  });
}

function groupsText(names: readonly string[]): string {
  return names.length === 1 ? "the output group" : "the output groups";
}

/** Files of the layout's `blobs/sha256/` by digest. */
function blobsOf({ groups }: BuiltTarget): ReadonlyMap<Digest, BuiltFile> {
  return new Map((groups.get("oci_layout") ?? []).flatMap((file) => {
    const [, hex] = /\/blobs\/sha256\/([0-9a-f]{64})$/.exec(file.name) ?? [];
    return hex === undefined ? [] : [[digestOfHex(hex), file] as const];
  }));
}

interface Documents {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  readonly configBytes: Uint8Array;
  readonly config: ImageConfig;
  /** How the index lists it, where the target is one. */
  readonly listing?: Listing;
}

/** Manifest and config for the platform that is asked for; one that says it is an artifact comes last. */
async function documentsFor(
  context: BuildContext,
  label: string,
  root: Uint8Array,
  blobs: ReadonlyMap<Digest, BuiltFile>,
): Promise<Documents> {
  const children = isIndex(root)
    ? await imagesOf(root, context.platform, label, blobs)
    : [{ bytes: root }];
  const found: string[] = [];
  const matching: Documents[] = [];
  const wanted = formatPlatform(parsePlatform(context.platform));
  for (const { bytes, descriptor } of children) {
    if (bytes === undefined) {
      found.push(platformOf(descriptor!.platform!));
      continue;
    }
    const manifest = readAs(parseManifest, bytes, label);
    // A manifest about another one, such as a signature, can have the config of an image.
    const isAbout = descriptor !== undefined && manifest.subject !== undefined;
    if (isAbout || !isImageConfig(manifest.config.mediaType)) continue;
    const configBytes = await readBlob(manifest.config, label, blobs);
    const config = readAs(parseConfig, configBytes, label);
    const variant = config.variant || descriptor?.platform?.variant;
    const platform = platformOf({ ...config, variant });
    if (platform === wanted) {
      const listing = descriptor === undefined
        ? {}
        : { listing: listingOf(root, descriptor, label) };
      matching.push({ bytes, manifest, config, configBytes, ...listing });
    } else found.push(platform);
  }
  const chosen = matching.find(({ manifest }) => manifest.artifactType === undefined) ??
    matching[0];
  if (chosen !== undefined) return chosen;
  const has = found.length === 0 ? "no container image" : `an image for ${found.join(", ")} only`;
  throw new Fault(`${label} is ${has}, not for ${context.platform}`, {
    where: context.name,
    next: "let `target` name an image_index with this platform, or correct `platforms`",
  });
}

function listingOf(index: Uint8Array, descriptor: Descriptor, label: string): Listing {
  const { annotations } = readAs(parseIndex, index, label);
  return { descriptor, ...(annotations === undefined ? {} : { annotations }) };
}

function isImageConfig(mediaType: string): boolean {
  return mediaType === MediaType.config || mediaType === MediaType.dockerConfig;
}

/** Reads a document; one that is none is the fault of the rule that made it. */
function readAs<T>(
  parse: (bytes: Uint8Array, where: string) => T,
  bytes: Uint8Array,
  label: string,
): T {
  try {
    return parse(bytes, label);
  } catch (cause) {
    throw new Fault((cause as Error).message, { where: label, next: NAME_AN_IMAGE, cause });
  }
}

/** A manifest, with its descriptor where an index names it. */
interface Child {
  /** Undefined for an image of another platform that the layout does not hold. */
  readonly bytes?: Uint8Array;
  readonly descriptor?: Descriptor;
}

/** Most indexes inside each other that are followed. */
const DEPTH = 4;

/** The images that an index names. Attestations, SOCI indexes and other artifacts are left unread. */
async function imagesOf(
  index: Uint8Array,
  platform: string,
  label: string,
  blobs: ReadonlyMap<Digest, BuiltFile>,
  depth = 1,
): Promise<Child[]> {
  const named = readAs(parseIndex, index, label).manifests.filter(mayBeImage);
  const children = await Promise.all(named.map(async (descriptor): Promise<Child[]> => {
    if (!blobs.has(descriptor.digest) && isForAnother(descriptor, platform)) {
      return [{ descriptor }];
    }
    const bytes = await readBlob(descriptor, label, blobs);
    if (!isIndexType(descriptor.mediaType)) return [{ bytes, descriptor }];
    return depth === DEPTH ? [] : await imagesOf(bytes, platform, label, blobs, depth + 1);
  }));
  return children.flat();
}

const MANIFESTS: readonly string[] = [MediaType.manifest, MediaType.dockerManifest];

/** Whether a descriptor says nothing against its being an image. */
function mayBeImage({ mediaType, artifactType, platform }: Descriptor): boolean {
  if (artifactType !== undefined && !isImageConfig(artifactType)) return false;
  if (platform?.os === "unknown") return false;
  return MANIFESTS.includes(mediaType) || isIndexType(mediaType);
}

/** Whether a descriptor names a platform, and another one. */
function isForAnother({ platform }: Descriptor, wanted: string): boolean {
  return platform !== undefined && platformOf(platform) !== wanted;
}

/** What is no JSON is no index; as a manifest it is refused with its reason. */
function isIndex(root: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(root));
    return typeof value === "object" && value !== null && "manifests" in value;
  } catch {
    return false;
  }
}

function platformOf(
  { os, architecture, variant }: Pick<ImageConfig, "os" | "architecture"> & {
    readonly variant?: string | undefined;
  },
): string {
  const parts = [os, architecture, ...(variant === undefined || variant === "" ? [] : [variant])];
  return formatPlatform(parsePlatform(parts.join("/")));
}

async function readBlob(
  { digest }: Descriptor,
  label: string,
  blobs: ReadonlyMap<Digest, BuiltFile>,
): Promise<Uint8Array> {
  const file = blobs.get(digest);
  const bytes = file && readRegularFile(file.path);
  if (bytes !== undefined && await hashBytes(bytes) === hexOf(digest)) return bytes;
  throw new Fault(`The layout of ${label} does not hold ${digest}`, {
    next: "run `bazel clean`, or correct the rule: its output group oci_layout must be whole",
  });
}

async function layerOf(
  context: BuildContext,
  label: string,
  descriptor: Descriptor,
  diffId: Digest,
  blobs: ReadonlyMap<Digest, BuiltFile>,
  described: DescribedLayers,
): Promise<Layer> {
  const { digest, mediaType, size } = descriptor;
  const file = blobs.get(digest);
  const elsewhere = described.get(digest) ?? [];
  if (file !== undefined) {
    await context.once(
      `rules_img blob ${digest}`,
      (shared) => copyBlob(shared, descriptor, file),
    );
    return { descriptor, diffId, places: [{ at: "layout" }, ...elsewhere] };
  }
  if (elsewhere.length > 0) {
    return { descriptor: { mediaType, digest, size }, diffId, places: elsewhere };
  }
  throw new Fault(`Nobody has the layer ${digest} of ${label}`, {
    where: context.name,
    next: 'pull its base with `layer_handling = "eager"`',
  });
}

async function copyBlob(
  context: BuildContext,
  { digest, mediaType }: Descriptor,
  { path }: BuiltFile,
): Promise<void> {
  const file = await Deno.open(path);
  const written = await context.writeBlob(mediaType, file.readable);
  if (written.digest === digest) return;
  throw new Fault(`${path} does not hold what its name says`, {
    where: context.name,
    next: "build it again with --force",
  });
}
