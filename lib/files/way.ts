/** What is on the way to a file: the links that lead there decide what it is as much as it does. */

import type { Selection } from "../model/selection.ts";
import { pathSelection } from "./selection.ts";

/** Links are followed this often before they count as a loop, as Linux does. */
const MOST_LINKS = 40;

/** How a path is walked; all paths are absolute. */
export interface Way {
  /** Links that are followed, in their order. */
  readonly links: readonly string[];
  /** What is walked through besides. */
  readonly folders: readonly string[];
  /** Where it ends, whatever is there. */
  readonly end: string;
}

/**
 * The way to a path, whether or not there is anything.
 *
 * @param root absolute path of the folder it is relative to, itself no way to be told.
 */
export function wayTo(root: string, path: string): Way {
  const links: string[] = [];
  const folders: string[] = [];
  let at = root;
  const rest = path.split("/").reverse();
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = parentOf(at);
      continue;
    }
    const next = at === "/" ? `/${name}` : `${at}/${name}`;
    const target = linkTarget(next);
    if (target === undefined) {
      folders.push(next);
      at = next;
      continue;
    }
    links.push(next);
    if (links.length > MOST_LINKS) return { links, folders, end: next };
    rest.push(...target.split("/").reverse());
    if (target.startsWith("/")) at = "/";
  }
  if (folders.at(-1) === at) folders.pop();
  return { links, folders, end: at };
}

/** Absolute paths of the folders where a change can lead a way elsewhere, and of the one it ends in. */
export function foldersOnTheWay({ links, end }: Way): readonly string[] {
  return links.length === 0 ? [] : [...links, end].map(parentOf);
}

/** What Nix has made: no path in it ever changes. */
const STORE_PATH = /\/store\/[0-9a-df-np-sv-z]{32}-[^/]+(?:\/|$)/;

/** Says whether a path is in the Nix store. */
export function isInStore(path: string): boolean {
  return STORE_PATH.test(path);
}

/**
 * What files are made of besides what is at their paths, where links are on the way to them: where
 * they are in truth, the links, and the project's folders on the way, for a link leads elsewhere
 * from another folder.
 *
 * @param root absolute path of the project's folder, which the paths are relative to.
 */
export function linkedReads(root: string, paths: readonly string[]): (string | Selection)[] {
  const ends = new Set<string>();
  const passed = new Set<string>();
  for (const path of paths) {
    const { links, folders, end } = wayTo(root, path);
    if (links.length === 0) continue;
    if (!isInStore(end)) ends.add(relativeTo(root, end));
    const own = folders.filter((folder) => folder.startsWith(`${root}/`));
    for (const each of [...links, ...own]) if (!isInStore(each)) passed.add(each);
  }
  const kinds = [...passed].map((path): Selection => ({
    ...pathSelection(relativeTo(root, path)),
    takes: "kinds",
  }));
  return [...kinds, ...ends];
}

/** A path relative to a folder, that of its own folder first; both are absolute. */
export function relativeTo(folder: string, path: string): string {
  const [from, to] = [folder.split("/"), path.split("/")];
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared++;
  return [...from.slice(shared).map(() => ".."), ...to.slice(shared)].join("/");
}

/**
 * Says of absolute paths whether they are on one of these ways, or hold something that is.
 */
export function onTheWay(ways: readonly Way[]): (path: string) => boolean {
  const passed = new Set<string>();
  const above = new Set<string>();
  for (const { links, folders, end } of ways) {
    for (const path of [...links, ...folders, end]) {
      passed.add(path);
      for (let at = parentOf(path); at !== "/" && !above.has(at); at = parentOf(at)) above.add(at);
    }
  }
  return (path) => passed.has(path) || above.has(path);
}

/** `a/b/c` and what it is in: `a`, `a/b`, `a/b/c`. */
export function ancestorsOf(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** What a link says; undefined of what is no link, or not there. */
export function linkTarget(path: string): string | undefined {
  try {
    return Deno.lstatSync(path).isSymlink ? Deno.readLinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** A path with all links followed; undefined where there is nothing. */
export function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}
