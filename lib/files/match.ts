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
  /** There may be something to take below this folder. */
  mayTakeBelow(folder: string): boolean;
  /** There may be something below a hidden folder that is not hidden. */
  readonly hidesPartly: boolean;
}

/** Compiles a selection. */
export function matcherOf(selection: Selection): Matcher {
  const syntax = selection.syntax ?? "glob";
  const { paths, above, others } = literalsOf(selection.include, syntax);
  const includes = others.map((pattern) => compile(pattern, syntax));
  const excludes = (selection.exclude ?? []).map((pattern) => compile(pattern, syntax));
  const everything = selection.include.includes("**");
  const ignore = ignoreOf(selection.dockerignore ?? []);
  return {
    takes: (path) =>
      everything || paths.has(path) || includes.some((pattern) => pattern.test(path)),
    leavesOut: (path) => excludes.some((pattern) => pattern.test(path)),
    hides: ignore.hides,
    mayTakeBelow: (folder) =>
      above.has(folder) || includes.some((pattern) => pattern.mayMatchBelow(folder)),
    hidesPartly: ignore.partly,
  };
}

/** Compiles globs over paths from the project's root. */
export function anyOf(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map((glob) => compile(glob, "glob"));
  return (path) => patterns.some((pattern) => pattern.test(path));
}

/**
 * Patterns without wildcards are looked up as paths, for there may be thousands of them.
 *
 * @returns the paths, the folders they are in, and the other patterns.
 */
function literalsOf(
  patterns: readonly string[],
  syntax: "glob" | "go",
): { paths: ReadonlySet<string>; above: ReadonlySet<string>; others: readonly string[] } {
  const wild = syntax === "go" ? /[*?[]/ : /[*?[\]{}()!]/;
  const paths = new Set<string>();
  const above = new Set<string>();
  const others = patterns.filter((pattern) => {
    if (wild.test(pattern.replace(/\\./gs, "")) || /\\$/.test(pattern)) return true;
    const path = pattern.replace(/\\(.)/gs, "$1");
    paths.add(path);
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      above.add(path.slice(0, at));
    }
    return false;
  });
  return { paths, above, others };
}

interface Pattern {
  test(path: string): boolean;
  mayMatchBelow(folder: string): boolean;
}

function compile(pattern: string, syntax: "glob" | "go"): Pattern {
  const fixed = fixedPart(pattern);
  const test = syntax === "go" ? goMatcher(pattern) : globMatcher(pattern);
  return {
    test,
    mayMatchBelow: (folder) =>
      folder === "" || isAtOrBelow(fixed.path, folder) ||
      (!fixed.whole && isAtOrBelow(folder, fixed.path)),
  };
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
function fixedPart(pattern: string): { readonly path: string; readonly whole: boolean } {
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => /[*?[\]{}()!@+\\]/.test(part));
  if (wild < 0) return { path: pattern, whole: true };
  return { path: parts.slice(0, wild).join("/"), whole: false };
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
