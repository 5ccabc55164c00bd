/** Choosing the files of a build context that a Dockerfile names. */

import { linkTarget } from "../../../lib/files/way.ts";
import type { Selection } from "../../../lib/model/selection.ts";
import type { Folder } from "./folders.ts";
import {
  escapePattern,
  goMatcher,
  hasWildcard,
  IgnorePatterns,
  patternBelow,
  unescapePattern,
} from "./match.ts";
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

/** What limits a source. */
export interface SourceRules {
  /** Patterns of --exclude, relative to what the source names. */
  readonly exclude?: readonly string[];
  /** With --parents: what is taken below the folders that the source names. */
  readonly below?: string;
}

/** A source of which not everything is taken. */
interface LimitedSource {
  readonly pattern: string;
  readonly exclude: readonly string[];
  readonly below?: string;
}

/** The sources that are used of one folder. */
export class FolderUse {
  readonly folder: Folder;
  readonly #patterns = new Set<string>();
  readonly #limited = new Map<string, LimitedSource>();
  #whole = false;

  constructor(folder: Folder) {
    this.folder = folder;
  }

  /** Takes what a pattern names below the folder; the empty one is the whole folder. */
  add(pattern: string, { exclude = [], below }: SourceRules = {}): void {
    if (exclude.length > 0 || below !== undefined) {
      const limited = { pattern, exclude, ...(below === undefined ? {} : { below }) };
      this.#limited.set(JSON.stringify(limited), limited);
    } else if (pattern === "") this.#whole = true;
    else this.#patterns.add(pattern);
  }

  /**
   * The selections that hold everything the sources name, links followed as COPY follows them.
   *
   * @param root absolute path of images.ts' folder.
   */
  selections(root: string): Selected {
    const { path, prefix, ignore } = this.folder;
    const base = `${root}/${path}`;
    const place = { root: path, ...(prefix === "" ? {} : { as: prefix }) };
    const common = { ...place, ...(ignore.length === 0 ? {} : { dockerignore: ignore }) };
    const patterns = new Set(this.#patterns);
    const looked = new Set<string>();
    for (const pattern of this.#patterns) {
      const { links, ends } = traceSource(base, pattern, looked);
      for (const extra of [...links, ...ends.filter((end) => end.isLinked).map(endPattern)]) {
        patterns.add(extra);
      }
    }
    const limited: Selection[] = [];
    for (const source of this.#limited.values()) {
      const { links, taken } = limitedSelections(base, source, looked);
      for (const link of links) patterns.add(link);
      limited.push(...taken.map((part) => ({ ...common, ...part })));
    }
    const looks: Selection = { ...place, include: [...looked].sort(), ...BY_KIND };
    // A link may lead to the folder itself.
    const whole = this.#whole || patterns.has("");
    const selections: Selection[] = whole ? [] : limited;
    if (whole) selections.push({ ...common, include: ["**"] });
    // The history of a repository is in no image unless it is asked for by name.
    const named = [...patterns].filter((it) => it !== "").sort();
    const git = named.filter(namesGit);
    const plain = whole ? [] : named.filter((pattern) => !git.includes(pattern));
    if (plain.length > 0) selections.push({ ...common, include: plain, syntax: "go" });
    if (git.length > 0) selections.push({ ...common, include: git, syntax: "go", git: true });
    if (whole) selections.push(...limited.filter(({ git }) => git));
    return { inputs: selections, looks: looked.size === 0 ? [] : [looks] };
  }
}

function namesGit(pattern: string): boolean {
  return pattern.split("/").includes(".git");
}

type SelectedPart = Pick<Selection, "include" | "syntax" | "hidden" | "git" | "takes">;

/** What a source takes of which not everything is taken, and the links that lead there. */
function limitedSelections(
  base: string,
  { pattern, exclude, below }: LimitedSource,
  looked: Set<string>,
): { links: readonly string[]; taken: SelectedPart[] } {
  const { links, ends } = pattern === ""
    ? { links: [], ends: [] }
    : traceSource(base, pattern, looked);
  const rules = new IgnorePatterns(exclude);
  const select = (folder: string, files: readonly string[]) => {
    const wanted = below === undefined ? folder : below === "" ? "" : patternBelow(folder, below);
    const hidden = [...exclude.map((line) => patternBelow(folder, line)), ...files];
    return {
      ...(wanted === ""
        ? { include: ["**"] }
        : { include: [wanted], syntax: below === undefined ? "go" as const : "ignore" as const }),
      ...(hidden.length === 0 ? {} : { hidden }),
      ...(namesGit(wanted) ? { git: true } : {}),
    };
  };
  // What is no folder is left out by its own name.
  const files = ends.filter(({ path, isLinked }) =>
    !isLinked && rules.hides(path.slice(path.lastIndexOf("/") + 1)) && !isFolder(`${base}/${path}`)
  );
  // With --parents the destination is made once there is a folder to begin with.
  const start = below === undefined
    ? undefined
    : ends.filter(({ path }) => isFolder(`${base}/${path}`)).map(endPattern).sort()[0];
  return {
    links,
    taken: [
      ...(start === undefined ? [] : [{ include: [start], syntax: "go", takes: "kinds" } as const]),
      select(pattern, files.map(endPattern)),
      ...ends.filter((end) => end.isLinked).map((end) => select(endPattern(end), [])),
    ],
  };
}

/** A path that a source names. */
interface SourceEnd {
  /** Below the context's root, links followed. */
  readonly path: string;
  /** There was a link on the way. */
  readonly isLinked: boolean;
}

function endPattern({ path }: SourceEnd): string {
  return escapePattern(path);
}

/**
 * What a source leads to.
 *
 * @param base absolute path of the context.
 * @param looked receives patterns of what decided that by its name, kind or target.
 * @returns patterns of the links on the way, and the ends.
 */
function traceSource(
  base: string,
  pattern: string,
  looked: Set<string>,
): { links: readonly string[]; ends: readonly SourceEnd[] } {
  const found: string[] = [];
  const ends = new Map<string, SourceEnd>();
  // Links that lead up and down again reach one folder in many ways.
  const fewestLinks = new Map<string, number>();
  const walk = (at: string, rest: readonly string[], links: number): void => {
    const place = `${at}\0${rest.join("/")}`;
    if ((fewestLinks.get(place) ?? Infinity) <= links) return;
    fewestLinks.set(place, links);
    const [head, ...tail] = rest;
    if (head === undefined) {
      ends.set(`${links > 0}\0${at}`, { path: at, isLinked: links > 0 });
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
  return { links: found, ends: [...ends.values()] };
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

function isFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
  } catch {
    return [];
  }
}
