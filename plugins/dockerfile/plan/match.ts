/**
 * Patterns over paths: those of COPY and ADD (Go's `filepath.Match`), and those of .dockerignore
 * and `--exclude` (the same with `**`, exceptions, and everything below a match).
 *
 * @see https://pkg.go.dev/path/filepath#Match
 * @see https://docs.docker.com/build/concepts/context/#syntax
 */

/** Says whether a path component or path holds a wildcard of Go's that is not escaped. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\*?[]|\\[^])*[*?[]/.test(pattern);
}

/** Removes the escapes of a pattern without wildcards. */
export function unescapePattern(pattern: string): string {
  return pattern.replace(/\\([^])/g, "$1");
}

/** Writes a path as a pattern that matches only itself. */
export function escapePattern(path: string): string {
  return path.replace(/[\\*?[\]]/g, "\\$&");
}

/** A test for Go's `filepath.Match`. @throws {Error} for a malformed pattern. */
export function goMatcher(pattern: string): (path: string) => boolean {
  const regExp = new RegExp(`^${goRegExp(pattern, false)}$`, "su");
  return (path) => regExp.test(path);
}

/** The patterns of an ignore file, read in their order: the last that matches decides. */
export class IgnorePatterns {
  readonly #rules: { readonly test: RegExp; readonly keeps: boolean }[] = [];

  /** @throws {Error} for a malformed pattern. */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const keeps = pattern.startsWith("!");
      const body = (keeps ? pattern.slice(1) : pattern).replace(/\/+$/, "");
      if (body === "") continue;
      // What is below a match matches too.
      const test = new RegExp(`^${goRegExp(body, true)}(?:/.*)?$`, "su");
      this.#rules.push({ test, keeps });
    }
  }

  /** Says whether a path, relative and without a trailing slash, is hidden. */
  hides(path: string): boolean {
    for (let at = this.#rules.length - 1; at >= 0; at--) {
      const rule = this.#rules[at]!;
      if (rule.test.test(path)) return !rule.keeps;
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
function cleanPattern(pattern: string): string {
  if (pattern === "") return "";
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !pattern.startsWith("/")) parts.push(part);
  }
  return parts.length === 0 ? (pattern.startsWith("/") ? "/" : ".") : parts.join("/");
}

function goRegExp(pattern: string, doubleStar: boolean): string {
  let out = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === "*" && doubleStar && pattern[at + 1] === "*") {
      at++;
      if (pattern[at + 1] === "/") at++;
      // At the end everything below; elsewhere any number of whole components.
      out += at + 1 >= pattern.length ? ".*" : "(?:.*/)?";
    } else if (char === "*") out += "[^/]*";
    else if (char === "?") out += "[^/]";
    else if (char === "[") {
      const group = bracket(pattern, at);
      out += group.regExp;
      at = group.end;
    } else if (char === "\\") {
      const escaped = pattern[++at];
      if (escaped === undefined) throw new Error("The pattern ends in an escape");
      out += literal(escaped);
    } else out += literal(char);
  }
  return out;
}

function bracket(pattern: string, start: number): { regExp: string; end: number } {
  let at = start + 1;
  const negated = pattern[at] === "^";
  if (negated) at++;
  let members = "";
  const first = at;
  const member = () => {
    const char = pattern[at] === "\\" ? pattern[++at] : pattern[at];
    if (char === undefined || (pattern[at - 1] !== "\\" && (char === "-" || char === "]"))) {
      throw new Error(`The bracket in "${pattern}" is malformed`);
    }
    at++;
    return char.replace(/[\\\]^[-]/, "\\$&");
  };
  while (pattern[at] !== "]" || at === first) {
    if (at >= pattern.length) throw new Error(`The bracket in "${pattern}" is not closed`);
    const low = member();
    if (pattern[at] === "-") {
      at++;
      members += `${low}-${member()}`;
    } else members += low;
  }
  return { regExp: negated ? `(?!/)[^${members}]` : `[${members}]`, end: at };
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}
