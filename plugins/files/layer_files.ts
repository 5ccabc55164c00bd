/** From one entry of `layers` to the files of one layer. */

import { Fault, usageFault } from "../../lib/model/errors.ts";
import type { LocalImage } from "../../lib/model/image.ts";
import type { BuildContext } from "../../lib/model/plugin.ts";
import type { Entry } from "../../lib/model/selection.ts";
import type { ImageFilesystem } from "../../lib/oci/filesystem.ts";
import type { LayerFile } from "../../lib/oci/layer.ts";
import type { LayerRecipe } from "./recipe.ts";

const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;
const PROGRAM_MODE = 0o755;
const LINK_MODE = 0o777;

/** Folders that are already in the image: those of the base and of earlier layers. */
export class Parents {
  readonly #base: ImageFilesystem | undefined;
  readonly #made = new Set<string>();

  private constructor(base: ImageFilesystem | undefined) {
    this.#base = base;
  }

  /** The folders of a base; without one there is only the root. */
  static async of(base: LocalImage | undefined, context: BuildContext): Promise<Parents> {
    if (base === undefined) return new Parents(undefined);
    const { imageFilesystem } = await import("../../lib/oci/cached_listing.ts");
    return new Parents(await imageFilesystem(base, context.cacheDir, context.signal));
  }

  /** Where a path really is: links among the base's folders are written through. */
  resolve(path: string): string {
    const parts = path.split("/").filter((part) => part !== "");
    let real = "";
    for (const [at, part] of parts.entries()) {
      const next = `${real}/${part}`;
      const isLast = at === parts.length - 1;
      const found = isLast ? undefined : this.#base?.resolve(next);
      real = found?.path ?? next;
    }
    return real === "" ? "/" : real;
  }

  /** Says whether a folder must be written, and takes note that it will have been. */
  claim(path: string): boolean {
    if (path === "/" || this.#made.has(path)) return false;
    this.#made.add(path);
    return this.#base?.get(path)?.type !== "directory";
  }
}

/** The files of a layer: the selected ones below `to`, and the folders that lead there. */
export function* layerFiles(
  layer: LayerRecipe,
  context: BuildContext,
  parents: Parents,
): Iterable<LayerFile> {
  const { from, to } = layer;
  if (!to.startsWith("/")) {
    throw usageFault(`The layer's "to" must be an absolute path, not "${to}"`, {
      where: context.name,
      next: `write "/${to}"`,
    });
  }
  const selected = selectedBelow(from, context.tree.entries);
  if (selected.length === 0) {
    const link = linkOnTheWay(context.root, from);
    throw new Fault(`There is nothing at "${from}"`, {
      where: context.name,
      next: link === undefined
        ? "correct `from`, or add the task that makes it to `needs`"
        : `"${link}" is a symbolic link, which is not followed: let \`from\` name what it leads to`,
    });
  }
  const owner = { uid: layer.uid ?? 0, gid: layer.gid ?? 0 };
  const mode = typeof layer.mode === "string" ? Number.parseInt(layer.mode, 8) : layer.mode;
  for (const entry of selected) {
    const path = parents.resolve(destination(from, to, entry));
    yield* leadingFolders(path, parents);
    if (entry.type === "directory") {
      if (parents.claim(path)) yield { path, type: "directory", mode: FOLDER_MODE, ...owner };
    } else if (entry.type === "symlink") {
      yield { path, type: "symlink", mode: LINK_MODE, ...owner, linkTarget: entry.target ?? "" };
    } else {
      const content = { file: `${context.root}/${entry.path}` };
      const own = mode ?? (entry.executable ? PROGRAM_MODE : FILE_MODE);
      yield { path, type: "file", mode: own, ...owner, size: entry.size, content };
    }
  }
}

/** The first folder of a path that is a link. */
function linkOnTheWay(root: string, path: string): string | undefined {
  const parts = path.split("/");
  const above = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"));
  return above.find((folder) => {
    try {
      return Deno.lstatSync(`${root}/${folder}`).isSymlink;
    } catch {
      return false;
    }
  });
}

function selectedBelow(from: string, entries: readonly Entry[]): readonly Entry[] {
  if (from === ".") return entries;
  return entries.filter(({ path }) => path === from || path.startsWith(`${from}/`));
}

/** A folder's content goes below `to`; a file becomes `to`, or goes into it where it ends in `/`. */
function destination(from: string, to: string, entry: Entry): string {
  if (entry.path === from && entry.type !== "directory") {
    return to.endsWith("/") ? `${to}${from.slice(from.lastIndexOf("/") + 1)}` : to;
  }
  const below = from === "." ? entry.path : entry.path.slice(from.length + 1);
  const folder = to.replace(/\/+$/, "");
  return below === "" ? folder || "/" : `${folder}/${below}`;
}

function* leadingFolders(path: string, parents: Parents): Iterable<LayerFile> {
  for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
    const folder = path.slice(0, at);
    if (parents.claim(folder)) {
      yield { path: folder, type: "directory", mode: FOLDER_MODE, uid: 0, gid: 0 };
    }
  }
}
