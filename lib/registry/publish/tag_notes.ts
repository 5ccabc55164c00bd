/**
 * Which commit a mutable tag was moved for. Content that comes back is an image of an old commit, so
 * the image cannot say it: a note beside the tag does, under a tag of its own in the same repository.
 * It is a manifest of an empty image that every registry takes, read in one request.
 *
 * A note names what its tag stood for before as well as what it is about to stand for: it is written
 * before the tag moves, and holds whether or not the tag then did.
 */

import { type Digest, hexOf, isDigest } from "../../model/digest.ts";
import { CONTENT_TAG_PREFIX } from "../../model/key.ts";
import { type Descriptor, MediaType } from "../../model/oci.ts";
import { encodeConfig, encodeManifest, parseManifest } from "../../oci/documents.ts";
import { sha256 } from "../../oci/sha256.ts";
import type { RegistryClient } from "../client.ts";
import { RegistryFault } from "../faults.ts";
import { isNoImage } from "./lookup.ts";
import type { Target } from "./target.ts";

/** For which commits a tag stands for a manifest. */
export interface TagNote {
  readonly digest: Digest;
  /** The commit it was moved for; of a promoted one also those that it was moved away from. */
  readonly revisions: readonly string[];
  /** Somebody moved it by hand: a job of the very same commits does not undo that. */
  readonly promoted?: boolean;
}

/** In front of the digits that stand for a mutable tag. */
const NOTE_TAG_PREFIX = `${CONTENT_TAG_PREFIX}note-`;

const TAG_ANNOTATION = "dev.images.tag";
const NOTES_ANNOTATION = "dev.images.notes";

/** The most notes on a tag, and the most commits of a note. */
export const MOST_NOTED = 8;

const encoder = new TextEncoder();

/** The tag of the note on a mutable tag. */
export function noteTagOf(tag: string): string {
  return `${NOTE_TAG_PREFIX}${hexOf(sha256(encoder.encode(tag))).slice(0, 32)}`;
}

/** Says whether a tag is that of a note, which is no image of anybody's. */
export function isNoteTag(tag: string): boolean {
  return tag.startsWith(NOTE_TAG_PREFIX);
}

/** The notes on a mutable tag; undefined where there are none, or none that can be read. */
export async function readNotes(
  client: RegistryClient,
  repository: string,
  tag: string,
): Promise<readonly TagNote[] | undefined> {
  const found = await client.manifest(repository, noteTagOf(tag)).catch((error) => {
    const isDenied = error instanceof RegistryFault && error.facts.denied;
    if (isDenied || isNoImage(error)) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  try {
    const { annotations = {} } = parseManifest(found.bytes, repository);
    if (annotations[TAG_ANNOTATION] !== tag) return undefined;
    const notes: unknown = JSON.parse(annotations[NOTES_ANNOTATION] ?? "");
    return Array.isArray(notes) ? notes.slice(0, MOST_NOTED).filter(isNote) : undefined;
  } catch {
    return undefined;
  }
}

function isNote(value: unknown): value is TagNote {
  if (typeof value !== "object" || value === null) return false;
  const { digest, revisions, promoted = false } = value as Record<string, unknown>;
  return isDigest(digest) && Array.isArray(revisions) && revisions.length <= MOST_NOTED &&
    revisions.every((each) => typeof each === "string" && /^[0-9a-f]{7,64}$/.test(each)) &&
    typeof promoted === "boolean";
}

/**
 * Writes the notes on a mutable tag.
 *
 * @param isThere whether there was a note before, and with it the blobs of its manifest.
 */
export async function writeNotes(
  { client, blobs, repository }: Target,
  tag: string,
  notes: readonly TagNote[],
  isThere: boolean,
): Promise<void> {
  const { config, layer, configBytes } = emptyImage();
  if (!isThere) {
    await Promise.all([
      blobs.bring(repository, config, () => configBytes),
      blobs.bring(repository, layer, () => GZIPPED_EMPTY_TAR),
    ]);
  }
  const bytes = encodeManifest({
    config,
    layers: [layer],
    annotations: {
      [TAG_ANNOTATION]: tag,
      [NOTES_ANNOTATION]: JSON.stringify(notes.slice(0, MOST_NOTED)),
    },
  });
  await client.putManifest(repository, noteTagOf(tag), MediaType.manifest, bytes);
}

/** An empty tar as Docker compresses it: registries know this blob of old. */
const GZIPPED_EMPTY_TAR = Uint8Array.fromBase64("H4sIAAAJbogA/2IYBaNgFIxYAAgAAP//Lq+17wAEAAA=");
const EMPTY_TAR: Digest = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

function emptyImage(): { config: Descriptor; layer: Descriptor; configBytes: Uint8Array } {
  const configBytes = encodeConfig({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [EMPTY_TAR] },
  });
  const described = (mediaType: string, bytes: Uint8Array): Descriptor => ({
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
  });
  return {
    config: described(MediaType.config, configBytes),
    layer: described(MediaType.layerGzip, GZIPPED_EMPTY_TAR),
    configBytes,
  };
}
