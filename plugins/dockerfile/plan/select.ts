/** Choosing the files of a build context that a Dockerfile names. */

import { linkTarget } from "../../../lib/files/way.ts";
import type { Selection } from "../../../lib/model/selection.ts";
import type { Folder } from "./folders.ts";
import { escapePattern, goMatcher, hasWildcard, unescapePattern } from "./match.ts";
import { joinPath } from "./options.ts";

/** Links are followed this often before they count as a loop. */
const MOST_LINKS = 40;

/** How what was looked at counts: what hides it, and what it holds, makes no difference. */
const BY_KIND = { syntax: "go", takes: "kinds", git: true } as const;

/** What is selected of a folder. */
export interface Selected {
  /** What COPY and ADD can take. */
  readonly inputs: readonly Selection[];
  /** What was looked at to tell: the names and kinds on the way, and where links lead. */
  readonly looks: readonly Selection[];
}

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
   */
  selections(root: string): Selected {
    const { path, prefix, ignore } = this.folder;
    const place = { root: path, ...(prefix === "" ? {} : { as: prefix }) };
    const common = { ...place, ...(ignore.length === 0 ? {} : { dockerignore: ignore }) };
    const patterns = new Set(this.#patterns);
    const looked = new Set<string>();
    for (const pattern of this.#patterns) {
      for (const extra of followLinks(`${root}/${path}`, pattern, looked)) patterns.add(extra);
    }
    const looks: Selection = { ...place, include: [...looked].sort(), ...BY_KIND };
    // A link may lead to the folder itself.
    const whole = this.#whole || patterns.has("");
    const selections: Selection[] = [];
    if (whole) selections.push({ ...common, include: ["**"] });
    // The history of a repository is in no image unless it is asked for by name.
    const named = [...patterns].filter((it) => it !== "").sort();
    const git = named.filter((pattern) => pattern.split("/").includes(".git"));
    const plain = whole ? [] : named.filter((pattern) => !git.includes(pattern));
    if (plain.length > 0) selections.push({ ...common, include: plain, syntax: "go" });
    if (git.length > 0) selections.push({ ...common, include: git, syntax: "go", git: true });
    return { inputs: selections, looks: looked.size === 0 ? [] : [looks] };
  }
}

/**
 * Patterns for the links on the way of a pattern, and for what they lead to.
 *
 * @param base absolute path of the context.
 * @param looked receives patterns of what decided that by its name, kind or target.
 */
function followLinks(base: string, pattern: string, looked: Set<string>): string[] {
  const found: string[] = [];
  // Links that lead up and down again reach one folder in many ways.
  const fewestLinks = new Map<string, number>();
  const walk = (at: string, rest: readonly string[], links: number): void => {
    const place = `${at}\0${rest.join("/")}`;
    if ((fewestLinks.get(place) ?? Infinity) <= links) return;
    fewestLinks.set(place, links);
    const [head, ...tail] = rest;
    if (head === undefined) {
      if (links > 0) found.push(escapePattern(at));
      return;
    }
    looked.add(joinPath(escapePattern(at), head));
    if (hasWildcard(head)) {
      const matches = goMatcher(head);
      for (const name of namesIn(`${base}/${at}`)) if (matches(name)) step(at, name, tail, links);
    } else step(at, unescapePattern(head), tail, links);
  };
  const step = (at: string, name: string, tail: readonly string[], links: number): void => {
    const path = joinPath(at, name);
    const target = linkTarget(`${base}/${path}`);
    if (target === undefined) return walk(path, tail, links);
    if (links === MOST_LINKS) return;
    found.push(escapePattern(path));
    const start = target.startsWith("/") || at === "" ? [] : at.split("/");
    walk("", [...resolve(start, target), ...tail], links + 1);
  };
  walk("", pattern.split("/"), 0);
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

function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
  } catch {
    return [];
  }
}
