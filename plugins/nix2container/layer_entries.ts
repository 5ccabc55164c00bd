/**
 * What is in a layer: the recipe by which nix2container makes a tar from store paths. The found files
 * are put where their rewrites send them, in a tree, which is then read depth first.
 *
 * @see https://github.com/nlewo/nix2container/blob/20d3395/nix/graph.go
 */

import { Fault } from "../../lib/model/errors.ts";
import { clean, compareBytes, nameBelow } from "./byte_paths.ts";
import { compileGoRegexp, type GoRegexp } from "./go_regexp.ts";
import type { JsonPath, JsonPerm } from "./image_json.ts";
import { type Found, walk, type Whereabouts } from "./walk.ts";

/** One entry of a layer's tar. */
export interface LayerEntry {
  /** Name in the tar: absolute unless a path of image.json is relative, no trailing slash. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** What it comes from; nothing for folders that only lead to others. */
  readonly found?: Found;
}

interface Node {
  found?: Found;
  perms?: readonly Rule[];
  /** Most have none. */
  children?: Map<string, Node>;
}

/** The folder that the last entry went to: most follow others into the same one. */
interface LastFolder {
  path: string;
  node: Node;
}

interface Rule {
  readonly matches: GoRegexp;
  readonly perm: JsonPerm;
}

const ROOT = { uid: 0, gid: 0, uname: "root", gname: "root" };

/**
 * A layer's entries in the order of its tar.
 *
 * @throws {Fault} when a path is missing, a rule cannot be read, or two paths meet and differ.
 */
export function* layerEntries(
  paths: readonly JsonPath[],
  at: Whereabouts,
): Generator<LayerEntry> {
  const root: Node = {};
  for (const path of paths) insertAll(root, path, at);
  yield* emit(root);
}

function insertAll(root: Node, path: JsonPath, at: Whereabouts): void {
  const { rewrite } = path;
  const regexp = rewrite?.regex ? compileGoRegexp(rewrite.regex, path.path) : undefined;
  const rules = path.perms?.map((perm) => ({
    matches: compileGoRegexp(perm.regex, path.path),
    perm,
  }));
  const last: LastFolder = { path: "", node: root };
  for (const found of walk(path.path, at)) {
    const destination = regexp?.replaceAll(found.source, rewrite!.repl) ?? found.source;
    if (destination !== "") insert(nodeAt(root, destination, last), destination, found, rules);
  }
}

function insert(
  node: Node,
  destination: string,
  found: Found,
  perms: readonly Rule[] | undefined,
): void {
  if (node.found !== undefined) checkSame(destination, node.found, found);
  if (node.perms !== undefined && !samePerms(node.perms, perms ?? [])) {
    throw collision(destination, "perms", node.found, found);
  }
  node.found = found;
  if (perms === undefined) delete node.perms;
  else node.perms = perms;
}

/** The place of a destination in the tree. */
function nodeAt(root: Node, destination: string, last: LastFolder): Node {
  const slash = destination.lastIndexOf("/");
  const name = destination.slice(slash + 1);
  if (slash <= 0 || name === "" || name === "." || name === "..") {
    return partsOf(destination).reduce(childOf, root);
  }
  const folder = destination.slice(0, slash);
  if (folder !== last.path) {
    last.node = partsOf(folder).reduce(childOf, root);
    last.path = folder;
  }
  return childOf(last.node, name);
}

function childOf(node: Node, name: string): Node {
  const children = node.children ??= new Map();
  let child = children.get(name);
  if (child === undefined) children.set(name, child = {});
  return child;
}

/** Parts of a cleaned path; the first one of an absolute path is empty. */
function partsOf(path: string): string[] {
  const cleaned = clean(path);
  return cleaned === "/" ? [""] : cleaned.split("/");
}

/** The same name from two paths is fine where both are alike; the later one then stands. */
function checkSame(destination: string, before: Found, after: Found): void {
  if (before.type !== after.type) throw collision(destination, "type", before, after);
  if (before.mode !== after.mode) throw collision(destination, "mode", before, after);
  if (before.size !== after.size) throw collision(destination, "size", before, after);
}

function samePerms(a: readonly Rule[], b: readonly Rule[]): boolean {
  return JSON.stringify(a.map(({ perm }) => perm)) === JSON.stringify(b.map(({ perm }) => perm));
}

function collision(
  destination: string,
  what: "type" | "mode" | "size" | "perms",
  before: Found | undefined,
  after: Found,
): Fault {
  const detail = (found: Found) => {
    if (what === "perms") return found.source;
    const value = what === "mode" ? `0${found.mode.toString(8)}` : found[what];
    return `${found.source} (${value})`;
  };
  const sides = [before, after].filter((side) => side !== undefined).map(detail).join(" and ");
  return new Fault(`Two paths of the layer meet with a different ${what}: ${sides}`, {
    where: destination,
    next: "leave one of them out of copyToRoot, or make them alike",
  });
}

function* emit(root: Node): Generator<LayerEntry> {
  const left: { readonly path: string; readonly node: Node }[] = [];
  const add = (folder: string | undefined, { children }: Node) => {
    if (children === undefined) return;
    const names = [...children.keys()].sort(compareBytes);
    for (let each = names.length - 1; each >= 0; each--) {
      const name = names[each]!;
      const path = folder === undefined ? name || "/" : nameBelow(folder, name);
      left.push({ path, node: children.get(name)! });
    }
  };
  add(undefined, root);
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield entryOf(next.path, next.node);
    add(next.path, next.node);
  }
}

function entryOf(path: string, { found, perms }: Node): LayerEntry {
  if (found === undefined) return { path, type: "directory", mode: 0o755, ...ROOT };
  const entry = { path, type: found.type, mode: found.mode, ...ROOT, found };
  for (const { matches, perm } of perms ?? []) {
    if (!matches.test(found.source)) continue;
    entry.uid = perm.uid;
    entry.gid = perm.gid;
    if (perm.uname !== "") entry.uname = perm.uname;
    if (perm.gname !== "") entry.gname = perm.gname;
    if (perm.mode !== "") entry.mode = modeOf(perm, path);
  }
  return entry;
}

/** Go scans the octal digits a text begins with: "0755" is 0755, and "0o755" is 0. */
function modeOf({ mode, regex }: JsonPerm, where: string): number {
  const digits = /^[ \t]*\+?([0-7]+)/.exec(mode)?.[1];
  if (digits !== undefined) return parseInt(digits, 8);
  throw new Fault(`The mode "${mode}" of the perms rule "${regex}" is not octal`, {
    where,
    next: 'write it as "0755"',
  });
}
