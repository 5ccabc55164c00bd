/** The files of an image: the listings of its layers on top of each other. */

import { absolutePath, baseName, childPath, parentPath } from "./image_path.ts";
import type { ListedFile, Listing } from "./listing.ts";

/** A file of an image and the layer it comes from, counted from 0. */
export interface ImageFile extends ListedFile {
  readonly layer: number;
}

/** A file of a layer that a higher one covers: its bytes are carried, and never seen. */
export interface WastedFile {
  /** Absolute path in the image. */
  readonly path: string;
  /** Bytes in the layer. */
  readonly size: number;
  /** The layer that has it, counted from 0. */
  readonly layer: number;
  /** The layer that covers it. */
  readonly by: number;
  readonly how: "overwritten" | "deleted";
}

/** Where the bytes of a file are: in this layer, the nth time (from 0) that it has a file so called. */
export interface StoredFile {
  readonly layer: number;
  /** Absolute path as the layer's archive writes it: not always where the file ends up. */
  readonly path: string;
  readonly nth: number;
}

/** The most symlinks that are followed on the way to one file, as Linux does. */
const LINK_LIMIT = 40;

/** The files of an image as a container sees them. */
export class ImageFilesystem {
  readonly #files = new Map<string, ImageFile>();
  readonly #children = new Map<string, Set<string>>();
  readonly #covered: WastedFile[] = [];
  readonly #stored = new Map<string, StoredFile>();
  /** The layer that is being put on top. */
  #top = -1;

  /** @param listings of the layers, the lowest first. */
  constructor(listings: readonly Listing[]) {
    this.#add({ ...ROOT, layer: -1 });
    listings.forEach((listing, layer) => {
      this.#top = layer;
      for (const folder of listing.opaque) this.#removeBelow(folder);
      for (const path of listing.removed) this.#remove(path);
      const times = new Map<string, number>();
      for (const file of listing.files) {
        const { path } = file;
        if (file.type !== "file" || file.hardLinkTo !== undefined) this.#put({ ...file, layer });
        else {
          const nth = times.get(path) ?? 0;
          times.set(path, nth + 1);
          this.#put({ ...file, layer }, { layer, path, nth });
        }
      }
    });
  }

  /** The file at a path, links not followed. */
  get(path: string): ImageFile | undefined {
    return this.#files.get(absolutePath(path));
  }

  /** Where the bytes of the file at a path are; undefined where there is none, or a broken link. */
  stored(path: string): StoredFile | undefined {
    return this.#stored.get(absolutePath(path));
  }

  /** The file that a path leads to, links inside the image followed. */
  resolve(path: string): ImageFile | undefined {
    return this.#resolve(absolutePath(path), { left: LINK_LIMIT });
  }

  /** Names of what is in a folder, sorted. */
  children(folder: string): readonly string[] {
    return [...this.#children.get(absolutePath(folder)) ?? []].sort();
  }

  /** Every file but the root, sorted by path. */
  entries(): ImageFile[] {
    const files = [...this.#files.values()].filter((file) => file.path !== "/");
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Files of lower layers that higher ones cover, sorted by path. */
  wasted(): WastedFile[] {
    const linked = new Set<string>();
    for (const { hardLinkTo, layer } of this.#files.values()) {
      if (hardLinkTo !== undefined) linked.add(`${layer} ${hardLinkTo}`);
    }
    // What a hard link beside it still leads to is seen.
    return this.#covered.filter(({ layer, path }) => !linked.has(`${layer} ${path}`))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  #resolve(path: string, budget: { left: number }): ImageFile | undefined {
    if (path === "/") return this.#files.get("/");
    const parent = this.#resolve(parentPath(path), budget);
    if (parent?.type !== "directory") return undefined;
    const file = this.#files.get(childPath(parent.path, baseName(path)));
    if (file?.type !== "symlink") return file;
    if (--budget.left < 0) return undefined;
    const target = file.linkTarget ?? "";
    return this.#resolve(
      absolutePath(target.startsWith("/") ? target : childPath(parent.path, target)),
      budget,
    );
  }

  #put(listed: ImageFile, stored?: StoredFile): void {
    const file = this.#throughLinks(listed);
    const linked = this.#linked(file);
    const bytes = linked === undefined ? stored : this.#stored.get(linked.path);
    const before = this.#files.get(file.path);
    const bothFolders = before?.type === "directory" && file.type === "directory";
    if (before !== undefined && !bothFolders) this.#remove(file.path, "overwritten");
    this.#addParents(file.path, file.layer);
    this.#add(linked === undefined ? file : throughHardLink(file, linked));
    if (bytes !== undefined) this.#stored.set(file.path, bytes);
  }

  /** What a hard link leads to as the layers are so far: what takes its place later is another. */
  #linked({ path, hardLinkTo }: ImageFile): ImageFile | undefined {
    if (hardLinkTo === undefined) return undefined;
    const folder = this.#resolve(parentPath(hardLinkTo), { left: LINK_LIMIT });
    const linked = this.#files.get(
      folder === undefined ? hardLinkTo : childPath(folder.path, baseName(hardLinkTo)),
    );
    return linked?.type === "directory" || linked?.path === path ? undefined : linked;
  }

  /** A link to a folder is written through, as when layers are unpacked onto each other. */
  #throughLinks(file: ImageFile): ImageFile {
    const folder = this.#resolve(parentPath(file.path), { left: LINK_LIMIT });
    if (folder?.type !== "directory") return file;
    return { ...file, path: childPath(folder.path, baseName(file.path)) };
  }

  #addParents(path: string, layer: number): void {
    const parent = parentPath(path);
    if (this.#files.get(parent)?.type === "directory") return;
    this.#addParents(parent, layer);
    this.#add({ ...ROOT, path: parent, layer });
  }

  #add(file: ImageFile): void {
    this.#files.set(file.path, file);
    if (file.path === "/") return;
    const parent = parentPath(file.path);
    const names = this.#children.get(parent) ?? new Set();
    names.add(baseName(file.path));
    this.#children.set(parent, names);
  }

  #remove(path: string, how: WastedFile["how"] = "deleted"): void {
    if (path === "/") return;
    this.#removeBelow(path);
    const file = this.#files.get(path);
    if (file !== undefined) this.#cover(file, how);
    this.#files.delete(path);
    this.#stored.delete(path);
    this.#children.get(parentPath(path))?.delete(baseName(path));
  }

  #cover({ path, size, layer, hardLinkTo }: ImageFile, how: WastedFile["how"]): void {
    if (size === 0 || hardLinkTo !== undefined || layer === this.#top) return;
    this.#covered.push({ path, size, layer, by: this.#top, how });
  }

  #removeBelow(folder: string): void {
    for (const name of this.#children.get(folder) ?? []) this.#remove(childPath(folder, name));
    this.#children.delete(folder);
  }
}

/** A hard link is the file (or symlink) it leads to, under another name; one to a link leads on. */
function throughHardLink(link: ImageFile, linked: ImageFile): ImageFile {
  const { type, size, mode, digest, linkTarget, device, xattrs } = linked;
  const { xattrs: _, ...own } = link;
  return {
    ...own,
    type,
    size,
    mode,
    hardLinkTo: linked.hardLinkTo ?? linked.path,
    ...(digest === undefined ? {} : { digest }),
    ...(linkTarget === undefined ? {} : { linkTarget }),
    ...(device === undefined ? {} : { device }),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
}

/** A folder that no layer has an entry for. */
const ROOT: ListedFile = { path: "/", type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 };
