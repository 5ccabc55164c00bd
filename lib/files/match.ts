/** What a selection takes and where it must look. Loaded only when something has changed. */

import dockerignore from "@balena/dockerignore";
import picomatch from "picomatch";
import { usageFault } from "../model/errors.ts";
import type { Selection } from "../model/selection.ts";

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
export function matcherOf(selection: Selection): Matcher {
  const syntax = selection.syntax ?? "glob";
  const { paths, others } = literalsOf(selection.include, syntax);
  const includes = others.map((pattern) => compile(pattern, syntax));
  const excludes = (selection.exclude ?? []).map((pattern) => compile(pattern, syntax));
  const everything = selection.include.includes("**");
  const ignore = ignoreOf(selection.dockerignore ?? []);
  const fixed = others.map(fixedPart);
  const names = namesAbove([...paths, ...fixed]);
  const isOpen = (folder: string) => fixed.some((path) => isAtOrBelow(folder, path));
  return {
    takes: (path) => everything || paths.has(path) || includes.some((test) => test(path)),
    leavesOut: (path) => excludes.some((test) => test(path)),
    hides: ignore.hides,
    mayTakeBelow: (folder) => names.has(folder) || isOpen(folder),
    namesIn: (folder) => isOpen(folder) ? undefined : names.get(folder) ?? new Set(),
    hidesPartly: ignore.partly,
  };
}

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
export function anyOf(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map((glob) => compile(glob, "glob"));
  return (path) => patterns.some((test) => test(path));
}

/** Patterns without wildcards are looked up as paths, for there may be thousands of them. */
function literalsOf(
  patterns: readonly string[],
  syntax: "glob" | "go",
): { paths: ReadonlySet<string>; others: readonly string[] } {
  const wild = syntax === "go" ? /[*?[]/ : /[*?[\]{}()!]/;
  const paths = new Set<string>();
  const others = patterns.filter((pattern) => {
    if (wild.test(pattern.replace(/\\./gs, "")) || /\\$/.test(pattern)) return true;
    paths.add(pattern.replace(/\\(.)/gs, "$1"));
    return false;
  });
  return { paths, others };
}

function compile(pattern: string, syntax: "glob" | "go"): (path: string) => boolean {
  return syntax === "go" ? goMatcher(pattern) : globMatcher(pattern);
}

function globMatcher(pattern: string): (path: string) => boolean {
  try {
    return picomatch(pattern, { dot: true, strictSlashes: false, nonegate: true });
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}

/** Go's `filepath.Match`, component by component. */
function goMatcher(pattern: string): (path: string) => boolean {
  const parts = pattern.split("/").map(goComponent);
  return (path) => {
    const names = path.split("/");
    return names.length === parts.length && names.every((name, at) => parts[at]!.test(name));
  };
}

/** `*`, `?`, `[a-z]`, `[^a]` and `\` before a character that stands for itself. */
function goComponent(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === "*") source += ".*";
    else if (char === "?") source += ".";
    else if (char === "\\") source += escape(pattern[++at] ?? "\\");
    else if (char === "[") {
      const end = classEnd(pattern, at);
      if (end < 0) throw badPattern(pattern);
      source += goClass(pattern.slice(at + 1, end));
      at = end;
    } else source += escape(char);
  }
  try {
    return new RegExp(`^${source}$`, "su");
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}

function classEnd(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern[at] === "]" && at > start + 1) return at;
  }
  return -1;
}

function goClass(inner: string): string {
  const negated = inner.startsWith("^");
  const rest = negated ? inner.slice(1) : inner;
  const body = rest.replace(
    /\\(.)|([[\]^])/gsu,
    (_, escaped?: string, plain?: string) => escapeInClass(escaped ?? plain ?? ""),
  );
  return `[${negated ? "^" : ""}${body}]`;
}

function escape(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function escapeInClass(char: string): string {
  return /[\\^\]\-[]/.test(char) ? `\\${char}` : char;
}

/** The leading components without wildcards: nothing outside them can match. */
function fixedPart(pattern: string): string {
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => /[*?[\]{}()!@+\\]/.test(part));
  return parts.slice(0, wild).join("/");
}

function isAtOrBelow(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

function ignoreOf(lines: readonly string[]): { hides: (path: string) => boolean; partly: boolean } {
  if (lines.length === 0) return { hides: () => false, partly: false };
  const matcher = dockerignore.default({ ignorecase: false }).add([...lines]);
  const partly = lines.some((line) => line.trimStart().startsWith("!"));
  return { hides: (path) => matcher.ignores(path), partly };
}

function badPattern(pattern: string, cause?: unknown): Error {
  return usageFault(`Cannot read the pattern "${pattern}"`, {
    next: "close every bracket, or put a backslash before one that is meant as it is",
    ...(cause === undefined ? {} : { cause }),
  });
}
