/**
 * What engines leave in a layer because they mounted something there: folders of the kernel's file
 * systems, and empty files under /etc that a container's own are laid over.
 */

import { readTar, type TarMember } from "../../../lib/oci/tar_read.ts";

/** Folders that are mounted over; whoever runs the image makes them. */
export const FOLDERS: readonly string[] = ["dev", "proc", "sys", "run", "run/secrets"];

/** Files that are mounted over. */
export const FILES: ReadonlySet<string> = new Set([
  "etc/hostname",
  "etc/hosts",
  "etc/resolv.conf",
]);

/** The folder of {@link FILES}. */
const FILES_FOLDER = "etc";

/** The mode that runtimes make folders with, and files to mount over: nobody else makes these executable. */
const MADE_MODE = 0o755;

const WHITEOUT = ".wh.";

/** Opens a layer's archive, without compression. */
export type OpenArchive = () => Promise<ReadableStream<Uint8Array>>;

type Owned = Pick<TarMember, "mode" | "uid" | "gid">;
type Member = Owned & Pick<TarMember, "type" | "size">;

/** Tells such places in the layers of one image. */
export class MountPoints {
  readonly #layers: readonly OpenArchive[];
  readonly #below = new Map<number, Promise<ReadonlyMap<string, Owned>>>();
  /** A folder stands after those it is in. */
  readonly #folders: readonly string[];

  /**
   * @param layers of the image, the lowest first; each is only read where it matters.
   * @param targets absolute paths that the Dockerfile itself mounts something at.
   */
  constructor(layers: readonly OpenArchive[], targets: readonly string[] = []) {
    this.#layers = layers;
    this.#folders = [...new Set([...FOLDERS, ...targets.flatMap(foldersTo)])].sort();
  }

  /**
   * What in a layer is nothing but a place to mount at.
   *
   * @returns plain paths, see {@link plainPath}.
   */
  async in(layer: number): Promise<ReadonlySet<string>> {
    const members = await membersOf(this.#layers[layer]!);
    const stubs = [...members].filter(([path, { type, size, mode }]) =>
      FILES.has(path) && type === "file" && size === 0 && permissions(mode) === MADE_MODE
    );
    const found = new Set(stubs.map(([path]) => path));
    const folders = stubs.length > 0 ? [...this.#folders, FILES_FOLDER] : this.#folders;
    // The deepest first: a folder that holds only places to mount at is one itself.
    for (const folder of folders.toReversed()) {
      const member = members.get(folder);
      if (member?.type !== "directory") continue;
      const paths = [...members.keys()];
      const holds = paths.some((path) => path.startsWith(`${folder}/`) && !found.has(path));
      if (!holds && await this.#isMade(folder, member, layer)) found.add(folder);
    }
    return found;
  }

  /** A folder that has another owner or mode than before, or than a runtime's own, is a change. */
  async #isMade(path: string, { mode, uid, gid }: Owned, layer: number): Promise<boolean> {
    const before = (await this.#foldersBelow(layer)).get(path) ??
      { mode: MADE_MODE, uid: 0, gid: 0 };
    return permissions(mode) === permissions(before.mode) && uid === before.uid &&
      gid === before.gid;
  }

  /** The folders that are mounted over, as the layers below one have them. */
  #foldersBelow(layer: number): Promise<ReadonlyMap<string, Owned>> {
    if (layer === 0) return Promise.resolve(new Map());
    const known = this.#below.get(layer) ?? this.#addTo(this.#foldersBelow(layer - 1), layer - 1);
    this.#below.set(layer, known);
    return known;
  }

  async #addTo(
    below: Promise<ReadonlyMap<string, Owned>>,
    layer: number,
  ): Promise<ReadonlyMap<string, Owned>> {
    const folders = new Map(await below);
    const members = await membersOf(this.#layers[layer]!);
    for (const folder of [...this.#folders, FILES_FOLDER]) {
      const at = folder.lastIndexOf("/") + 1;
      const removed = `${folder.slice(0, at)}${WHITEOUT}${folder.slice(at)}`;
      if (members.has(removed)) folders.delete(folder);
      const member = members.get(folder);
      if (member?.type === "directory") folders.set(folder, member);
      else if (member !== undefined) folders.delete(folder);
    }
    return folders;
  }
}

/** A path and the folders it is in, without a slash in front. */
function foldersTo(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) return [];
  return names.map((_, at) => names.slice(0, at + 1).join("/"));
}

/** A path of an archive without slashes at its ends and without `./`. */
export function plainPath(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
}

async function membersOf(open: OpenArchive): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  for await (const { path, type, mode, uid, gid, size } of readTar(await open())) {
    members.set(plainPath(path), { type, mode, uid, gid, size });
  }
  return members;
}

function permissions(mode: number): number {
  return mode & 0o7777;
}
