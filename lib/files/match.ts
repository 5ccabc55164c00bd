/** What a selection takes and where it must look. Loaded only when something has changed. */

import { lazy } from "../model/lazy.ts";
import type { Selection } from "../model/selection.ts";
import { fixedPart } from "./selection.ts";

// Most selections name folders, and `**`: what reads patterns and .dockerignore is slow to load.
const readingGlobs = lazy(() => import("./glob.ts"));
const readingGo = lazy(() => import("./go_pattern.ts"));
const readingIgnores = lazy(() => import("./docker_ignore.ts"));

/** Decides over paths relative to the selection's root. */
export interface Matcher {
  /** The path itself is taken, and with a folder all that is below it and not left out. */
  takes(path: string): boolean;
  /** Left out, and with a folder all below it. */
  leavesOut(path: string): boolean;
  /** Hidden by .dockerignore; what is below a hidden folder may still be taken. */
  hides(path: string): boolean;
  /** There may be something to take below this folder, which is not taken itself. */
  mayTakeBelow(folder: string): boolean;
  /** The only names in such a folder that may lead to something; undefined where all may. */
  namesIn(folder: string): ReadonlySet<string> | undefined;
  /** There may be something below a hidden folder that is not hidden. */
  readonly hidesPartly: boolean;
}

/** Compiles a selection. */
export async function matcherOf(selection: Selection): Promise<Matcher> {
  const { include, exclude = [], dockerignore = [], hidden = [], syntax = "glob" } = selection;
  const { paths, others } = literalsOf(include, syntax);
  const everything = others.includes("**");
  const includes = await compileAll(others.filter((pattern) => pattern !== "**"), syntax);
  const excludes = await compileAll(exclude, syntax);
  const ignore = await hiding(dockerignore);
  const more = await hiding(hidden);
  const fixed = others.map(fixedPart);
  const names = namesAbove([...paths, ...fixed]);
  const depths = others.map((pattern) => mostDepth(pattern, syntax));
  const isOpen = (folder: string) =>
    fixed.some((path, at) => isAtOrBelow(folder, path) && depthOf(folder) < depths[at]!);
  return {
    takes: (path) => everything || paths.has(path) || includes.some((test) => test(path)),
    leavesOut: excludes.length === 0 ? NEVER : (path) => excludes.some((test) => test(path)),
    hides: hidden.length === 0
      ? (path) => ignore.hides(path)
      : (path) => ignore.hides(path) || more.hides(path),
    mayTakeBelow: (folder) => names.has(folder) || isOpen(folder),
    namesIn: (folder) => isOpen(folder) ? undefined : names.get(folder) ?? NO_NAMES,
    hidesPartly: ignore.partly || more.partly,
  };
}

async function hiding(patterns: readonly string[]) {
  if (patterns.length === 0) return NOTHING_HIDDEN;
  return new (await readingIgnores()).IgnorePatterns(patterns);
}

/** The most components of what matches a pattern, without what is below a match. */
function mostDepth(pattern: string, syntax: Syntax): number {
  if (syntax === "glob" || (syntax === "ignore" && pattern.includes("**"))) return Infinity;
  return depthOf(pattern);
}

type Syntax = NonNullable<Selection["syntax"]>;

const NO_NAMES: ReadonlySet<string> = new Set();

/** Folder → the names in it that the paths go through. */
function namesAbove(paths: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const path of paths) {
    for (let end = path.length; end > 0;) {
      const slash = path.lastIndexOf("/", end - 1);
      const folder = path.slice(0, Math.max(slash, 0));
      const known = names.get(folder);
      if (known === undefined) names.set(folder, new Set([path.slice(slash + 1, end)]));
      else known.add(path.slice(slash + 1, end));
      end = slash;
    }
  }
  return names;
}

/** Compiles globs over paths from the project's root. */
export async function anyOf(globs: readonly string[]): Promise<(path: string) => boolean> {
  const tests = await compileAll(globs, "glob");
  return (path) => tests.some((test) => test(path));
}

/** Compiles patterns; what reads them is loaded if there are any. */
async function compileAll(
  patterns: readonly string[],
  syntax: Syntax,
): Promise<((path: string) => boolean)[]> {
  if (patterns.length === 0) return [];
  if (syntax === "glob") return patterns.map((await readingGlobs()).globMatcher);
  const { goMatcher, ignoreMatcher } = await readingGo();
  return patterns.map((pattern) => (syntax === "go" ? goMatcher : ignoreMatcher)(pattern));
}

/** Patterns without wildcards are looked up as paths, for there may be thousands of them. */
function literalsOf(
  patterns: readonly string[],
  syntax: Syntax,
): { paths: ReadonlySet<string>; others: readonly string[] } {
  const wild = syntax === "glob" ? /[*?[\]{}()!]/ : /[*?[]/;
  const paths = new Set<string>();
  const others = patterns.filter((pattern) => {
    if (wild.test(pattern.replace(/\\./gs, "")) || /\\$/.test(pattern)) return true;
    paths.add(pattern.replace(/\\(.)/gs, "$1"));
    return false;
  });
  return { paths, others };
}

function depthOf(path: string): number {
  return path === "" ? 0 : path.split("/").length;
}

function isAtOrBelow(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

const NEVER = () => false;
const NOTHING_HIDDEN = { hides: NEVER, partly: false };
