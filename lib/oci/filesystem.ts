/** The files of an image: each layer's listing, and all listings on top of each other. */

import type { LocalImage, OpenableLayer } from "../model/image.ts";
import { Fault } from "../model/errors.ts";
import { MediaType } from "../model/oci.ts";
import { decompress, readTar, type TarMember } from "./tar_read.ts";

/** A file as a layer has it. */
export interface ListedFile {
  /** Absolute path in the image. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "other";
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size in bytes. */
  readonly size: number;
  readonly linkTarget?: string;
  /** Path of the file this one is a hard link to; its content is there. */
  readonly hardLinkTo?: string;
}

/** What one layer does to the files below it. */
export interface Listing {
  readonly files: readonly ListedFile[];
  /** Paths that the layer removes. */
  readonly removed: readonly string[];
  /** Folders whose former content the layer hides. */
  readonly opaque: readonly string[];
}

/** A file of an image and the layer it comes from, counted from 0. */
export interface ImageFile extends ListedFile {
  readonly layer: number;
}

/** The most entries that are listed of one layer: more is an attack, not an image. */
const ENTRY_LIMIT = 5_000_000;

/** The most symlinks that are followed on the way to one file, as Linux does. */
const LINK_LIMIT = 40;

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** Lists a layer by reading it once. */
export async function listLayer(layer: OpenableLayer, signal?: AbortSignal): Promise<Listing> {
  const files: ListedFile[] = [];
  const removed: string[] = [];
  const opaque: string[] = [];
  let count = 0;
  for await (const member of readTar(await uncompressed(layer, signal))) {
    if (++count > ENTRY_LIMIT) throw new Fault(`The layer has more than ${ENTRY_LIMIT} entries`);
    const path = absolute(member.path);
    const at = path.lastIndexOf("/");
    const name = path.slice(at + 1);
    const folder = path.slice(0, at) || "/";
    if (name === OPAQUE) opaque.push(folder);
    else if (name.startsWith(WHITEOUT)) removed.push(child(folder, name.slice(WHITEOUT.length)));
    else files.push(listed(path, member));
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
  for await (const chunk of await uncompressed(layer, signal)) total += chunk.length;
  return total;
}

async function uncompressed(
  layer: OpenableLayer,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array>> {
  return decompress(await layer.open(signal), layer.descriptor.mediaType);
}

function listed(path: string, member: TarMember): ListedFile {
  const { type, mode, uid, gid, size, linkTarget } = member;
  const common = { path, mode: mode & 0o7777, uid, gid };
  if (type === "hardlink") {
    return { ...common, type: "file", size: 0, hardLinkTo: absolute(linkTarget ?? "") };
  }
  if (type === "symlink") return { ...common, type, size: 0, linkTarget: linkTarget ?? "" };
  return { ...common, type, size: type === "file" ? size : 0 };
}

/** The files of an image as a container sees them. */
export class ImageFilesystem {
  readonly #files = new Map<string, ImageFile>();
  readonly #children = new Map<string, Set<string>>();

  /** @param listings of the layers, the lowest first. */
  constructor(listings: readonly Listing[]) {
    this.#add({ ...ROOT, layer: -1 });
    listings.forEach((listing, layer) => {
      for (const folder of listing.opaque) this.#removeBelow(folder);
      for (const path of listing.removed) this.#remove(path);
      for (const file of listing.files) this.#put({ ...file, layer });
    });
  }

  /** The file at a path, links not followed. */
  get(path: string): ImageFile | undefined {
    return this.#files.get(absolute(path));
  }

  /** The file that a path leads to, links inside the image followed. */
  resolve(path: string): ImageFile | undefined {
    return this.#resolve(absolute(path), { left: LINK_LIMIT });
  }

  /** Names of what is in a folder, sorted. */
  children(folder: string): readonly string[] {
    return [...this.#children.get(absolute(folder)) ?? []].sort();
  }

  /** Every file but the root, sorted by path. */
  entries(): ImageFile[] {
    const files = [...this.#files.values()].filter((file) => file.path !== "/");
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  #resolve(path: string, budget: { left: number }): ImageFile | undefined {
    if (path === "/") return this.#files.get("/");
    const at = path.lastIndexOf("/");
    const parent = this.#resolve(path.slice(0, at) || "/", budget);
    if (parent?.type !== "directory") return undefined;
    const file = this.#files.get(child(parent.path, path.slice(at + 1)));
    if (file?.type !== "symlink") return file;
    if (--budget.left < 0) return undefined;
    const target = file.linkTarget ?? "";
    return this.#resolve(
      absolute(target.startsWith("/") ? target : child(parent.path, target)),
      budget,
    );
  }

  #put(listed: ImageFile): void {
    const file = this.#throughLinks(listed);
    const before = this.#files.get(file.path);
    const bothFolders = before?.type === "directory" && file.type === "directory";
    if (before !== undefined && !bothFolders) this.#remove(file.path);
    this.#addParents(file.path, file.layer);
    const linked = file.hardLinkTo === undefined ? undefined : this.#files.get(file.hardLinkTo);
    this.#add(linked === undefined ? file : { ...file, size: linked.size, mode: linked.mode });
  }

  /** A link to a folder is written through, as when layers are unpacked onto each other. */
  #throughLinks(file: ImageFile): ImageFile {
    const at = file.path.lastIndexOf("/");
    const folder = this.#resolve(file.path.slice(0, at) || "/", { left: LINK_LIMIT });
    if (folder?.type !== "directory") return file;
    return { ...file, path: child(folder.path, file.path.slice(at + 1)) };
  }

  #addParents(path: string, layer: number): void {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    if (this.#files.get(parent)?.type === "directory") return;
    this.#addParents(parent, layer);
    this.#add({ ...ROOT, path: parent, layer });
  }

  #add(file: ImageFile): void {
    this.#files.set(file.path, file);
    if (file.path === "/") return;
    const at = file.path.lastIndexOf("/");
    const parent = file.path.slice(0, at) || "/";
    const names = this.#children.get(parent) ?? new Set();
    names.add(file.path.slice(at + 1));
    this.#children.set(parent, names);
  }

  #remove(path: string): void {
    if (path === "/") return;
    this.#removeBelow(path);
    this.#files.delete(path);
    const at = path.lastIndexOf("/");
    this.#children.get(path.slice(0, at) || "/")?.delete(path.slice(at + 1));
  }

  #removeBelow(folder: string): void {
    for (const name of this.#children.get(folder) ?? []) this.#remove(child(folder, name));
    this.#children.delete(folder);
  }
}

/** A folder that no layer has an entry for. */
const ROOT: ListedFile = { path: "/", type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 };

/**
 * Reads a file of an image: links are followed, and only the layer that has it is read.
 *
 * @throws {Fault} when there is no such file.
 */
export async function readFile(
  image: LocalImage,
  filesystem: ImageFilesystem,
  path: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const file = filesystem.resolve(path);
  const layer = file === undefined ? undefined : image.layers[file.layer];
  if (file === undefined || layer === undefined || file.type !== "file") {
    throw new Fault(`There is no file ${path}`, { where: image.name });
  }
  const wanted = file.hardLinkTo ?? file.path;
  for await (const member of readTar(await uncompressed(layer, signal))) {
    if (absolute(member.path) !== wanted || member.type !== "file") continue;
    return new Uint8Array(await new Response(ReadableStream.from(member.content())).arrayBuffer());
  }
  throw new Fault(`The layer no longer holds ${path}`, { where: image.name });
}

/** A path from the root, without `.`, `..` or double slashes; it cannot lead out. */
function absolute(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function child(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}
