/** Choosing the files of a build context that a Dockerfile names. */

import type { Selection } from "../../../lib/model/selection.ts";
import type { Folder } from "./folders.ts";
import { escapePattern, goMatcher, hasWildcard, unescapePattern } from "./match.ts";
import { joinPath } from "./options.ts";

/** Links are followed this often before they count as a loop. */
const MOST_LINKS = 40;

/** The patterns that are used of one folder. */
export class FolderUse {
  readonly folder: Folder;
  readonly #patterns = new Set<string>();
  #whole = false;

  constructor(folder: Folder) {
    this.folder = folder;
  }

  /** Takes what matches a pattern below the folder; the empty one is the whole folder. */
  add(pattern: string): void {
    if (pattern === "") this.#whole = true;
    else this.#patterns.add(pattern);
  }

  /**
   * The selections that hold everything the patterns name, links followed as COPY follows them.
   *
   * @param root absolute path of images.ts' folder.
   * @param reads receives the paths whose kind decided what is selected.
   */
  selections(root: string, reads: Set<string>): Selection[] {
    const { path, prefix, ignore } = this.folder;
    const common = {
      root: path,
      ...(ignore.length === 0 ? {} : { dockerignore: ignore }),
      ...(prefix === "" ? {} : { as: prefix }),
    };
    const patterns = new Set(this.#patterns);
    for (const pattern of this.#patterns) {
      for (const extra of followLinks(root, path, pattern, reads)) patterns.add(extra);
    }
    const selections: Selection[] = [];
    if (this.#whole) selections.push({ ...common, include: ["**"] });
    // The history of a repository is in no image unless it is asked for by name.
    const named = [...patterns].filter((it) => it !== "").sort();
    const git = named.filter((pattern) => pattern.split("/").includes(".git"));
    const plain = this.#whole ? [] : named.filter((pattern) => !git.includes(pattern));
    if (plain.length > 0) selections.push({ ...common, include: plain, syntax: "go" });
    if (git.length > 0) selections.push({ ...common, include: git, syntax: "go", git: true });
    return selections;
  }
}

/** Patterns for the links on the way of a pattern, and for what they lead to. */
function followLinks(root: string, folder: string, pattern: string, reads: Set<string>): string[] {
  const base = `${root}/${folder}`;
  const found: string[] = [];
  let budget = MOST_LINKS;
  const walk = (at: string, rest: readonly string[], moved: boolean): void => {
    const [head, ...tail] = rest;
    if (head === undefined) {
      if (moved) found.push(escapePattern(at));
      return;
    }
    if (hasWildcard(head)) {
      const matches = goMatcher(head);
      for (const name of namesIn(`${base}/${at}`)) if (matches(name)) step(at, name, tail, moved);
    } else step(at, unescapePattern(head), tail, moved);
  };
  const step = (at: string, name: string, tail: readonly string[], moved: boolean): void => {
    const path = at === "" ? name : `${at}/${name}`;
    const target = linkTarget(`${base}/${path}`);
    if (target !== FOLDER) reads.add(joinPath(folder, path));
    if (typeof target !== "string") return walk(path, tail, moved);
    if (budget-- <= 0) return;
    found.push(escapePattern(path));
    const start = target.startsWith("/") || at === "" ? [] : at.split("/");
    walk("", [...resolve(start, target), ...tail.map(String)], true);
  };
  walk("", pattern.split("/"), false);
  return found;
}

/** A link's target as components below the context's root, which it cannot leave. */
function resolve(start: readonly string[], target: string): string[] {
  const parts = [...start];
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(escapePattern(part));
  }
  return parts;
}

/** Folders are not among what was read: all below them would be. */
const FOLDER = Symbol("folder");

function linkTarget(path: string): string | typeof FOLDER | undefined {
  try {
    const { isSymlink, isDirectory } = Deno.lstatSync(path);
    return isSymlink ? Deno.readLinkSync(path) : isDirectory ? FOLDER : undefined;
  } catch {
    return undefined;
  }
}

function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
  } catch {
    return [];
  }
}
