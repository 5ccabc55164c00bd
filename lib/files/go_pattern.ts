/** Patterns of Go's `filepath.Match`, as Dockerfiles have them. */

import { badPattern } from "./bad_pattern.ts";

/** Go's `filepath.Match`, component by component. */
export function goMatcher(pattern: string): (path: string) => boolean {
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
