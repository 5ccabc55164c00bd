/**
 * Copying between trees as COPY and ADD do it.
 *
 * A source that is a folder gives its contents; a source that is a link is followed; folders that
 * are there are kept, those below the destination take the source's owner and mode.
 *
 * @see https://docs.docker.com/reference/dockerfile/#copy
 */

import { goMatcher, hasWildcard, IgnorePatterns, unescapePattern } from "../plan/match.ts";
import type { ModeChange, Owner } from "./owner.ts";
import {
  below,
  cleanAbsolute,
  type Content,
  type FolderNode,
  type Meta,
  type Node,
  PLAIN_FOLDER,
  type Rootfs,
  splitPath,
  TreeConflict,
} from "./rootfs.ts";

/** How files are copied. */
export interface CopyRules {
  /** Absolute path; a trailing slash says it is a folder. */
  readonly to: string;
  /** Owner of everything copied and made; by default the source's own. */
  readonly owner?: Owner;
  readonly mode?: ModeChange;
  /** What is left out, relative to each source. */
  readonly exclude?: IgnorePatterns;
}

/** The real paths in a tree that a source names; links are followed up to the first wildcard. */
export function findSources(tree: Rootfs, pattern: string): string[] {
  const parts = pattern.split("/").filter((part) => part !== "");
  const wild = parts.findIndex(hasWildcard);
  if (wild < 0) {
    const path = `/${parts.map(unescapePattern).join("/")}`;
    return tree.resolve(path).node === undefined ? [] : [path];
  }
  const start = tree.resolve(`/${parts.slice(0, wild).map(unescapePattern).join("/")}`);
  const found: string[] = [];
  const walk = (path: string, node: Node | undefined, rest: readonly string[]) => {
    const [head, ...tail] = rest;
    if (head === undefined) {
      found.push(path);
      return;
    }
    if (node?.type !== "directory") return;
    const matches = goMatcher(head);
    for (const name of [...node.children.keys()].sort(byCodePoint)) {
      if (matches(name)) walk(below(path, name), node.children.get(name), tail);
    }
  };
  walk(start.path, start.node, parts.slice(wild));
  return found;
}

/**
 * Copies one source: a file into a folder or to a name, or a folder's contents.
 *
 * @param path of the source as it was named, its last link not yet followed.
 * @throws {TreeConflict} where files and folders stand in each other's way.
 */
export function copySource(from: Rootfs, path: string, to: Rootfs, rules: CopyRules): void {
  const copier = new Copier(to, rules);
  const source = from.resolve(path).node;
  if (source === undefined) throw new TreeConflict(`${path} is not there`);
  const name = splitPath(path).name;
  if (source.type !== "directory" && rules.exclude?.hides(name)) return;
  const made = copier.meta(PLAIN_FOLDER, false);
  const clean = cleanAbsolute(rules.to);
  to.makeFolders(rules.to.endsWith("/") ? clean : splitPath(clean).parent, made);
  const { path: real, node: there } = to.resolve(clean);
  if (source.type === "directory") {
    copier.children(source, "", to.makeFolders(real, made));
    return;
  }
  const target = there?.type === "directory" ? below(real, name) : real;
  // A link at the destination may lead where there are no folders yet.
  to.makeFolders(splitPath(target).parent, made);
  copier.node(source, name, target);
}

/**
 * Copies with --parents: what a line of an ignore file matches below a folder, its path kept. Folders on the way
 * come with the source's owner and mode; links are copied as links.
 *
 * @returns how many files and folders matched.
 */
export function copyWithParents(
  from: Rootfs,
  start: string,
  pattern: string,
  to: Rootfs,
  rules: CopyRules,
): number {
  const root = from.resolve(start).node;
  if (root?.type !== "directory") return 0;
  const wanted = new IgnorePatterns([pattern]);
  const copier = new Copier(to, rules);
  const target = to.makeFolders(cleanAbsolute(rules.to), copier.meta(PLAIN_FOLDER, false));
  let count = 0;
  const walk = (folder: FolderNode, path: string, at: readonly [string, FolderNode][]) => {
    for (const [name, node] of sorted(folder)) {
      const relative = path === "" ? name : `${path}/${name}`;
      const taken = wanted.hides(relative) && !(rules.exclude?.hides(relative) ?? false);
      if (taken) {
        for (const [parent, meta] of at) copier.folder(meta, `${target}/${parent}`);
        copier.single(node, `${target === "/" ? "" : target}/${relative}`);
        count++;
      }
      if (node.type === "directory") walk(node, relative, [...at, [relative, node]]);
    }
  };
  walk(root, "", []);
  return count;
}

class Copier {
  readonly #copies = new Map<Content, Content>();

  constructor(readonly to: Rootfs, readonly rules: CopyRules) {}

  /** Owner and mode of a node's copy; folders on the way keep their mode. */
  meta(node: Meta, changeMode: boolean, isFolder = true): Meta {
    const { owner, mode } = this.rules;
    return {
      mode: changeMode && mode !== undefined ? mode(node.mode, isFolder) : node.mode,
      uid: owner?.uid ?? node.uid,
      gid: owner?.gid ?? node.gid,
      ...(node.xattrs === undefined ? {} : { xattrs: node.xattrs }),
    };
  }

  children(folder: FolderNode, path: string, target: string): void {
    for (const [name, node] of sorted(folder)) {
      this.node(node, path === "" ? name : `${path}/${name}`, below(target, name));
    }
  }

  node(node: Node, path: string, target: string): void {
    const hidden = this.rules.exclude?.hides(path) ?? false;
    if (node.type !== "directory") {
      if (!hidden) this.single(node, target);
      return;
    }
    if (!hidden) this.children(node, path, this.folder(node, target));
    // An exception of --exclude may bring back something below a folder that is left out.
    else this.#kept(node, path, target);
  }

  #kept(folder: FolderNode, path: string, target: string): void {
    for (const [name, node] of sorted(folder)) {
      const inner = `${path}/${name}`;
      if (node.type !== "directory" && this.rules.exclude!.hides(inner)) continue;
      if (node.type === "directory" && this.rules.exclude!.hides(inner)) {
        this.#kept(node, inner, below(target, name));
      } else this.node(node, inner, below(this.folder(folder, target), name));
    }
  }

  /** Makes a folder, or gives one that is there the source's owner and mode. */
  folder(node: FolderNode, target: string): string {
    const there = this.to.lookup(target);
    if (there?.type === "symlink") {
      // A link to a folder is written through: the folders of /lib go to /usr/lib.
      const linked = this.to.resolve(target);
      if (linked.node?.type === "directory") return linked.path;
    }
    const meta = this.meta(node, true);
    const same = there?.type === "directory" && there.mode === meta.mode &&
      there.uid === meta.uid && there.gid === meta.gid &&
      String(there.xattrs ?? "") === String(meta.xattrs ?? "");
    if (!same) this.to.put(target, { ...meta, type: "directory", children: new Map() });
    return target;
  }

  single(node: Node, target: string): void {
    if (node.type === "directory") this.folder(node, target);
    else if (node.type === "symlink") this.to.put(target, { ...node, ...this.meta(node, false) });
    else {
      const content = node.type === "file" ? { content: this.#copyOf(node.content) } : {};
      this.to.put(target, { ...node, ...content, ...this.meta(node, true, false) });
    }
  }

  /** Names of one file that are copied together are links of each other, not of the source. */
  #copyOf(content: Content): Content {
    if (content.kind !== "host" || !content.unpacked) return content;
    const copy = this.#copies.get(content) ?? { ...content };
    this.#copies.set(content, copy);
    return copy;
  }
}

function sorted(folder: FolderNode): [string, Node][] {
  return [...folder.children].sort((a, b) => byCodePoint(a[0], b[0]));
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
