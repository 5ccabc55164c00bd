/** Patterns of Go's `filepath.Match`, as Dockerfiles have them, and those of ignore files. */

import { badPattern } from "./bad_pattern.ts";

/**
 * Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]` and `\` before a character that stands for itself.
 *
 * @see https://pkg.go.dev/path/filepath#Match
 * @throws {Fault} for a malformed pattern.
 */
export function goMatcher(pattern: string): (path: string) => boolean {
  try {
    const regExp = new RegExp(`^${regExpOf(pattern, false)}$`, "su");
    return (path) => regExp.test(path);
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}

/**
 * The same with `**`, as a line of an ignore file has it. What is below a match matches too.
 *
 * @see https://pkg.go.dev/github.com/moby/patternmatcher
 * @throws {Error} for a malformed pattern.
 */
export function ignoreMatcher(pattern: string): (path: string) => boolean {
  // Only where nothing else is special do two stars in front stand for the beginning of a name too.
  const ending = /^\*\*([^*?[\]\\]+)$/.exec(pattern)?.[1];
  const source = ending === undefined || ending.startsWith("/")
    ? regExpOf(pattern, true)
    : `.*${literal(ending)}`;
  const regExp = new RegExp(`^${source}(?:/.*)?$`, "su");
  return (path) => regExp.test(path);
}

function regExpOf(pattern: string, doubleStar: boolean): string {
  let out = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === "*" && doubleStar && pattern[at + 1] === "*") {
      const end = doubleStarsEnd(pattern, at);
      // At the end everything below; elsewhere any number of whole components.
      out += end === pattern.length ? ".*" : "(?:.*/)?";
      at = end - 1;
    } else if (char === "*") {
      while (!doubleStar && pattern[at + 1] === "*") at++;
      out += "[^/]*";
    } else if (char === "?") out += "[^/]";
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

/** Several of them in a row say no more than one, and to part a path among them would take long. */
function doubleStarsEnd(pattern: string, start: number): number {
  const [stars] = /^(?:\*\*\/?)+/.exec(pattern.slice(start))!;
  return start + stars.length;
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

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
