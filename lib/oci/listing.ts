/** What one layer holds, found by reading it once. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { LayerMember, OpenableLayer } from "../model/image.ts";
import { MediaType } from "../model/oci.ts";
import { absolutePath, baseName, childPath, parentPath } from "./image_path.ts";
import { isPackageDatabase, type Package, parsePackages } from "./packages.ts";
import type { Sha256 } from "./sha256.ts";
import { decompress } from "./decompress.ts";
import { readTar, type TarMember } from "./tar_read.ts";

/** A file as a layer has it. */
export interface ListedFile extends LayerMember {
  /** Path of the file this one is a hard link to; its content is there. */
  readonly hardLinkTo?: string;
  /** Seconds since 1970; only in a listing with contents. */
  readonly mtime?: number;
  /** Digest of a file's content; only in a listing with contents. */
  readonly digest?: Digest;
  /** What a package database says is installed; only in a listing with contents. */
  readonly packages?: readonly Package[];
}

/** What one layer does to the files below it. */
export interface Listing {
  readonly files: readonly ListedFile[];
  /** Paths that the layer removes. */
  readonly removed: readonly string[];
  /** Folders whose former content the layer hides. */
  readonly opaque: readonly string[];
}

/** How thoroughly a layer is listed. */
export interface ListingOptions {
  /** Takes times, digests of contents and installed packages too. @default false */
  readonly contents?: boolean;
}

/** The most entries that are listed of one layer: more is an attack, not an image. */
const ENTRY_LIMIT = 5_000_000;

/** The largest package database that is read, in bytes. */
const DATABASE_LIMIT = 64 * 1024 * 1024;

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** Lists a layer: by reading it once, unless its plugin knows the files and no more is asked for. */
export async function listLayer(
  layer: OpenableLayer,
  signal?: AbortSignal,
  { contents = false }: ListingOptions = {},
): Promise<Listing> {
  const known = contents ? undefined : await layer.list?.();
  if (known !== undefined) return listingOf(known);
  const files: ListedFile[] = [];
  for await (const member of readTar(await openUncompressed(layer, signal))) {
    if (files.length === ENTRY_LIMIT) {
      throw new Fault(`The layer has more than ${ENTRY_LIMIT} entries`);
    }
    const path = absolutePath(member.path);
    files.push({ ...listed(path, member), ...contents ? await read(path, member) : {} });
  }
  return listingOf(files);
}

/** Tells files from the marks that stand for what a layer removes. */
function listingOf(members: readonly ListedFile[]): Listing {
  const files: ListedFile[] = [];
  const removed: string[] = [];
  const opaque: string[] = [];
  for (const member of members) {
    const name = baseName(member.path);
    const folder = parentPath(member.path);
    if (name === OPAQUE) opaque.push(folder);
    else if (name.startsWith(WHITEOUT)) {
      removed.push(childPath(folder, name.slice(WHITEOUT.length)));
    } else files.push(member);
  }
  return { files, removed, opaque };
}

/** Bytes of a layer without compression, counted by reading it where nothing else tells. */
export async function uncompressedSize(
  layer: OpenableLayer,
  signal?: AbortSignal,
): Promise<number> {
  const { mediaType, size } = layer.descriptor;
  if (mediaType === MediaType.layer || mediaType === MediaType.dockerLayer) return size;
  let total = 0;
  for await (const chunk of await openUncompressed(layer, signal)) total += chunk.length;
  return total;
}

/** A layer's tar, as a stream that fails before its end if it is not what the diff ID says. */
export async function openUncompressed(
  layer: OpenableLayer,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array>> {
  const { descriptor, diffId } = layer;
  const plain = decompress(await layer.open(signal), descriptor.mediaType);
  // Opening it has checked the descriptor's digest already.
  if (descriptor.digest === diffId) return plain;
  const { Sha256 } = await import("./sha256.ts");
  return plain.pipeThrough(checkedBy(new Sha256(), diffId));
}

/** A config may claim any diff ID, and what is kept under it is used for other images too. */
function checkedBy(hash: Sha256, diffId: Digest): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      hash.update(chunk);
      controller.enqueue(chunk);
    },
    flush() {
      const found = hash.digest();
      if (found === diffId) return;
      throw new Fault(`The layer's content is ${found}, not ${diffId} as the config says`, {
        next: "push the image again, or use another",
      });
    },
  });
}

function listed(path: string, member: TarMember): ListedFile {
  const { type, mode, uid, gid, size, linkTarget, device, xattrs } = member;
  const common = {
    path,
    mode: mode & 0o7777,
    uid,
    gid,
    ...(device === undefined ? {} : { device }),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
  if (type === "hardlink") {
    return { ...common, type: "file", size: 0, hardLinkTo: absolutePath(linkTarget ?? "") };
  }
  if (type === "symlink") return { ...common, type, size: 0, linkTarget: linkTarget ?? "" };
  return { ...common, type, size: type === "file" ? size : 0 };
}

/** What only reading the content tells. */
async function read(
  path: string,
  member: TarMember,
): Promise<Pick<ListedFile, "mtime" | "digest" | "packages">> {
  const { mtime, type, size } = member;
  if (type !== "file") return { mtime };
  const { Sha256 } = await import("./sha256.ts");
  const hash = new Sha256();
  const isDatabase = isPackageDatabase(path) && size <= DATABASE_LIMIT;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of member.content()) {
    hash.update(chunk);
    if (isDatabase) text += decoder.decode(chunk, { stream: true });
  }
  const digest = hash.digest();
  return isDatabase ? { mtime, digest, packages: parsePackages(path, text) } : { mtime, digest };
}
