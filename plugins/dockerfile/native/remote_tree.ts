/** Fetched sources as trees: what a URL serves, and the files of a commit. */

import { Fault } from "../../../lib/model/errors.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import type { RemoteSource } from "../../../lib/model/source.ts";
import type { Remote } from "../plan/remote.ts";
import { type FolderNode, folderOf, type Node, PLAIN_FOLDER, Rootfs } from "./rootfs.ts";

/** Mode of a fetched file, as BuildKit has it. */
const FETCHED_MODE = 0o600;

/** A tree, and the path in it that is added. */
export interface RemoteTree {
  readonly tree: Rootfs;
  /** Absolute; the root for a folder. */
  readonly path: string;
  /** Where a fetched file is on this machine; undefined for a folder. */
  readonly file?: string;
}

/** The remote sources of one build; each is fetched once. */
export class RemoteTrees {
  readonly #context: BuildContext;
  readonly #known = new Map<string, Promise<string>>();
  readonly #folders = new Map<string, Rootfs>();

  constructor(context: BuildContext) {
    this.#context = context;
  }

  /** The content of a source as the key names it. @throws {Fault} where it cannot be had. */
  async open(remote: Remote): Promise<RemoteTree> {
    const { source } = remote;
    const at = await this.#content(source);
    if (remote.kind === "http") {
      const { size } = await Deno.stat(at);
      const top = folderOf(PLAIN_FOLDER);
      const owner = { uid: 0, gid: 0 };
      const content = { kind: "host", path: at } as const;
      top.children.set(remote.file, { type: "file", mode: FETCHED_MODE, ...owner, size, content });
      return { tree: new Rootfs(top), path: `/${remote.file}`, file: at };
    }
    const whole = this.#folders.get(at) ?? new Rootfs(folderOnDisk(at));
    this.#folders.set(at, whole);
    const node = nodeAt(whole, remote.subdir);
    if (node?.type === "directory") return { tree: new Rootfs(node), path: "/" };
    throw new Fault(`${remote.subdir} is no folder of ${source.name}`, {
      next: "correct the folder behind the ref",
    });
  }

  #content(source: RemoteSource): Promise<string> {
    const { url: _, ...rest } = source;
    const key = JSON.stringify(rest);
    const content = this.#known.get(key) ?? this.#context.source(source);
    this.#known.set(key, content);
    return content;
  }
}

/** The node at a path, no link followed: a folder of a repository is one itself. */
function nodeAt(tree: Rootfs, path: string): Node | undefined {
  let node: Node | undefined = tree.root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    node = node?.type === "directory" ? node.children.get(name) : undefined;
  }
  return node;
}

/** A checked-out folder: owners 0:0, modes as git has them. */
function folderOnDisk(path: string): FolderNode {
  const folder = folderOf(PLAIN_FOLDER);
  for (const { name } of Deno.readDirSync(path)) {
    const node = nodeOnDisk(`${path}/${name}`);
    if (node !== undefined) folder.children.set(name, node);
  }
  return folder;
}

function nodeOnDisk(path: string): Node | undefined {
  const info = Deno.lstatSync(path);
  const owner = { uid: 0, gid: 0 };
  if (info.isDirectory) return folderOnDisk(path);
  if (info.isSymlink) {
    return { type: "symlink", mode: 0o777, ...owner, target: Deno.readLinkSync(path) };
  }
  if (!info.isFile) return undefined;
  const mode = ((info.mode ?? 0) & 0o100) === 0 ? 0o644 : 0o755;
  return { type: "file", mode, ...owner, size: info.size, content: { kind: "host", path } };
}
