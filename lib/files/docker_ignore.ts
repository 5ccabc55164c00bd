/** What a .dockerignore hides. */

import { ignoreMatcher } from "./go_pattern.ts";

/** A line of an ignore file. */
interface Rule {
  /** Matches what is below a match too, where no line is an exception. */
  readonly matches: (path: string) => boolean;
  /** It is an exception: what it matches is shown. */
  readonly keeps: boolean;
}

/** Which lines matched a folder, and whether they hide it. */
interface FolderResult {
  readonly path: string;
  readonly matched: readonly boolean[];
  readonly hidden: boolean;
}

/**
 * The patterns of an ignore file, as BuildKit reads them: the last line that matches a path decides.
 *
 * What matched a folder matches all below it. But an exception is not looked at where nothing is
 * hidden yet: below `dir`, "dir/sub" and then "!dir" leave `dir/sub` hidden.
 *
 * @see https://pkg.go.dev/github.com/moby/patternmatcher#PatternMatcher.MatchesUsingParentResults
 */
export class IgnorePatterns {
  /** Some may show again what others hide. */
  readonly partly: boolean;
  readonly #rules: readonly Rule[];
  /** The folders on the way to the path that was asked for last, each in the one before it. */
  readonly #way: FolderResult[] = [];

  /**
   * @param patterns as {@link readIgnoreFile} gives them.
   * @throws {Error} for a malformed pattern.
   */
  constructor(patterns: readonly string[]) {
    this.partly = patterns.some((pattern) => pattern.startsWith("!"));
    this.#rules = patterns.flatMap((pattern): Rule[] => {
      const keeps = pattern.startsWith("!");
      const body = (keeps ? pattern.slice(1) : pattern).replace(/\/+$/, "");
      if (pattern === "!") throw new Error("There is nothing behind the exclamation mark");
      return body === "" ? [] : [{ matches: ignoreMatcher(body, !this.partly), keeps }];
    });
  }

  /** Says whether a path, relative and without a trailing slash, is hidden. */
  hides(path: string): boolean {
    if (!this.partly) return this.#rules.some(({ matches }) => matches(path));
    return this.#result(path, this.#folder(path.slice(0, Math.max(path.lastIndexOf("/"), 0))))
      .hidden;
  }

  /** The result of a folder; undefined for the root. */
  #folder(folder: string): FolderResult | undefined {
    const way = this.#way;
    while (way.length > 0 && !`${folder}/`.startsWith(`${way.at(-1)!.path}/`)) way.pop();
    while ((way.at(-1)?.path ?? "") !== folder) {
      const known = way.at(-1);
      const end = folder.indexOf("/", known === undefined ? 0 : known.path.length + 1);
      way.push(this.#result(end < 0 ? folder : folder.slice(0, end), known));
    }
    return way.at(-1);
  }

  #result(path: string, folder: FolderResult | undefined): FolderResult {
    let hidden = false;
    const matched = this.#rules.map(({ matches, keeps }, at) => {
      const isMatch = folder?.matched[at] || (keeps === hidden && matches(path));
      if (isMatch) hidden = !keeps;
      return isMatch;
    });
    return { path, matched, hidden };
  }
}

/**
 * The patterns of an ignore file's text: comments and blank lines dropped, paths cleaned.
 *
 * @see https://pkg.go.dev/github.com/moby/patternmatcher/ignorefile#ReadAll
 */
export function readIgnoreFile(text: string): string[] {
  const patterns: string[] = [];
  for (const line of text.replace(/^\uFEFF/, "").split("\n")) {
    if (line.startsWith("#")) continue;
    const trimmed = line.trim();
    if (trimmed === "") continue;
    const keeps = trimmed.startsWith("!");
    const body = cleanPattern(keeps ? trimmed.slice(1).trim() : trimmed);
    patterns.push(keeps ? `!${body}` : body);
  }
  return patterns;
}

/** Go's `filepath.Clean`, and without a leading slash. */
export function cleanPattern(pattern: string): string {
  if (pattern === "") return "";
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !pattern.startsWith("/")) parts.push(part);
  }
  return parts.length === 0 ? (pattern.startsWith("/") ? "/" : ".") : parts.join("/");
}
