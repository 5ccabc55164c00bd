/** A file tree as an image's or context's root: links stay inside it, changes are kept. */

import type { ExtendedAttribute, LocalImage, SpecialType } from "../../../lib/model/image.ts";

/** Where a file's bytes are. */
export type Content =
  /**
   * A file of this machine; absolute path. Nodes with one content that was unpacked from an archive
   * are hard links of each other.
   */
  | { readonly kind: "host"; readonly path: string; readonly unpacked?: true }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** In an image's layers, at a real path. */
  | { readonly kind: "image"; readonly image: LocalImage; readonly path: string };

/** What every node has. */
export interface Meta {
  /** Permission bits, with set-user-ID and the like. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Extended attributes, sorted by name. */
  readonly xattrs?: readonly ExtendedAttribute[];
}

/** A regular file. */
export interface FileNode extends Meta {
  readonly type: "file";
  /** Bytes. */
  readonly size: number;
  readonly content: Content;
}

/** A symbolic link. */
export interface LinkNode extends Meta {
  readonly type: "symlink";
  readonly target: string;
}

/** A device or named pipe. */
export interface SpecialNode extends Meta {
  readonly type: SpecialType;
  /** A device's numbers. */
  readonly device?: readonly [major: number, minor: number];
}

/** A folder. */
export interface FolderNode extends Meta {
  readonly type: "directory";
  readonly children: Map<string, Node>;
}

/** What a path can be. */
export type Node = FileNode | LinkNode | SpecialNode | FolderNode;

/** The owner and mode of folders that nobody described. */
export const PLAIN_FOLDER: Meta = { mode: 0o755, uid: 0, gid: 0 };

/** As Linux: so many links on the way to one path are a loop. */
const MOST_LINKS = 255;

/** So many components may the targets of those links have together. */
const MOST_STEPS = 16 * 1024;

/** A place where a folder was wanted, or was in the way; the caller adds the line. */
export class TreeConflict extends Error {
  override readonly name = "TreeConflict";
}

/** A tree. Paths are absolute, `/`-separated and clean; `/` is the root. */
export class Rootfs {
  #root: FolderNode;
  #changes = new Map<string, Node>();
  /** The folder in which something was put last, as most of what comes next is put there too. */
  #last: { readonly path: string; readonly children: FolderNode["children"] } | undefined;

  constructor(root: FolderNode = folderOf(PLAIN_FOLDER)) {
    this.#root = root;
  }

  /** The root folder. */
  get root(): FolderNode {
    return this.#root;
  }

  /** A tree of its own that begins with what this one holds, without its changes. */
  fork(): Rootfs {
    return new Rootfs(copyFolders(this.#root));
  }

  /** The node at a path, the links on its way followed, a link at its end not. */
  lookup(path: string): Node | undefined {
    const { parent, name } = splitPath(path);
    if (name === "") return this.#root;
    const folder = this.resolve(parent).node;
    return folder?.type === "directory" ? folder.children.get(name) : undefined;
  }

  /**
   * Follows all links of a path, none of which leads out of the tree.
   *
   * @returns the real path, and the node there; undefined where nothing is.
   * @throws {TreeConflict} where links go round in circles.
   */
  resolve(path: string): { path: string; node: Node | undefined } {
    // The components that are left, the next one last.
    const rest = path.split("/").reverse();
    const names: string[] = [];
    const nodes: (Node | undefined)[] = [this.#root];
    let links = 0;
    let steps = 0;
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (names.pop() !== undefined) nodes.pop();
        continue;
      }
      const node = childOf(nodes.at(-1), name);
      if (node?.type !== "symlink") {
        names.push(name);
        nodes.push(node);
        continue;
      }
      if (++links > MOST_LINKS) {
        throw new TreeConflict(`The links on the way to ${path} form a loop`);
      }
      if (node.target.startsWith("/")) {
        names.length = 0;
        nodes.length = 1;
      }
      const target = node.target.split("/");
      steps += target.length;
      if (steps > MOST_STEPS) {
        throw new TreeConflict(`The links on the way to ${path} name too many folders`);
      }
      rest.push(...target.reverse());
    }
    return { path: `/${names.join("/")}`, node: nodes.at(-1) };
  }

  /**
   * Puts a node at a real path whose parent is there; a folder that is there keeps its children.
   *
   * @throws {TreeConflict} where a file would take a folder's place, or the other way round.
   */
  put(path: string, node: Node): void {
    const { parent, name } = splitPath(path);
    if (name === "") {
      this.#root = { ...node, children: this.#root.children } as FolderNode;
      return;
    }
    const children = this.#childrenOf(parent);
    const there = children.get(name);
    if (node.type === "directory") {
      if (there !== undefined && there.type !== "directory") {
        throw new TreeConflict(`A folder cannot replace ${path}, which is no folder`);
      }
      const placed = { ...node, children: there?.children ?? new Map<string, Node>() };
      children.set(name, placed);
      this.#changes.set(path, placed);
      return;
    }
    if (there?.type === "directory") {
      throw new TreeConflict(`A file cannot replace the folder ${path}`);
    }
    children.set(name, node);
    this.#changes.set(path, node);
  }

  /** Removes what is at a real path; for archives, whose entries replace whatever is there. */
  remove(path: string): void {
    this.#last = undefined;
    const { parent, name } = splitPath(path);
    const folder = this.#exact(parts(parent));
    const removed = childOf(folder, name);
    if (removed === undefined) return;
    (folder as FolderNode).children.delete(name);
    this.#forget(path, removed);
  }

  /** Drops the changes at a path and below it. */
  #forget(path: string, node: Node): void {
    this.#changes.delete(path);
    if (node.type !== "directory") return;
    for (const [name, child] of node.children) this.#forget(below(path, name), child);
  }

  /**
   * Makes the folders of a path that are not there; links on the way are followed.
   *
   * @returns the real path.
   * @throws {TreeConflict} where something on the way is no folder.
   */
  makeFolders(path: string, meta: Meta = PLAIN_FOLDER): string {
    const { path: real, node: there } = this.resolve(path);
    if (there?.type === "directory") return real;
    let at = "/";
    let node: Node | undefined = this.#root;
    for (const name of parts(real)) {
      at = below(at, name);
      node = childOf(node, name);
      if (node?.type === "directory") continue;
      if (node !== undefined) throw new TreeConflict(`${at} is not a folder`);
      this.put(at, folderOf(meta));
    }
    return real;
  }

  /** The nodes that changed since the last call, by their paths. */
  takeChanges(): Map<string, Node> {
    const changes = this.#changes;
    this.#changes = new Map();
    return changes;
  }

  /** What is in a folder, at a real path. Putting a folder over another keeps its children. */
  #childrenOf(path: string): FolderNode["children"] {
    if (this.#last?.path === path) return this.#last.children;
    const folder = this.#exact(parts(path));
    if (folder?.type !== "directory") throw new TreeConflict(`${path} is not a folder`);
    this.#last = { path, children: folder.children };
    return folder.children;
  }

  #exact(names: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of names) node = childOf(node, name);
    return node;
  }
}

function childOf(folder: Node | undefined, name: string): Node | undefined {
  return folder?.type === "directory" ? folder.children.get(name) : undefined;
}

/** An empty folder. */
export function folderOf({ mode, uid, gid, xattrs }: Meta): FolderNode {
  const attributes = xattrs === undefined ? {} : { xattrs };
  return { type: "directory", mode, uid, gid, ...attributes, children: new Map() };
}

/** A clean absolute path's parent and last component; the root's name is empty. */
export function splitPath(path: string): { parent: string; name: string } {
  const at = path.lastIndexOf("/");
  return { parent: at <= 0 ? "/" : path.slice(0, at), name: path.slice(at + 1) };
}

/** Joins a clean absolute path and a name. */
export function below(path: string, name: string): string {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

/** An absolute path without `.`, `..`, doubled and trailing slashes. */
export function cleanAbsolute(path: string): string {
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return `/${out.join("/")}`;
}

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function copyFolders(folder: FolderNode): FolderNode {
  const children = new Map<string, Node>();
  for (const [name, node] of folder.children) {
    children.set(name, node.type === "directory" ? copyFolders(node) : node);
  }
  return { ...folder, children };
}
