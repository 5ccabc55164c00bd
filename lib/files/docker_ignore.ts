/** What a .dockerignore hides. */

import { ignoreMatcher } from "./go_pattern.ts";

/** The patterns of an ignore file, read in their order: the last that matches decides. */
export class IgnorePatterns {
  /** Some may show again what others hide. */
  readonly partly: boolean;
  readonly #rules: { readonly matches: (path: string) => boolean; readonly keeps: boolean }[] = [];

  /**
   * @param patterns as {@link readIgnoreFile} gives them.
   * @throws {Error} for a malformed pattern.
   */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const keeps = pattern.startsWith("!");
      const body = (keeps ? pattern.slice(1) : pattern).replace(/\/+$/, "");
      if (pattern === "!") throw new Error("There is nothing behind the exclamation mark");
      if (body === "") continue;
      this.#rules.push({ matches: ignoreMatcher(body), keeps });
    }
    this.partly = this.#rules.some(({ keeps }) => keeps);
  }

  /** Says whether a path, relative and without a trailing slash, is hidden. */
  hides(path: string): boolean {
    for (let at = this.#rules.length - 1; at >= 0; at--) {
      const rule = this.#rules[at]!;
      if (rule.matches(path)) return !rule.keeps;
    }
    return false;
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
