/** Patterns of Go's `filepath.Match`, as Dockerfiles have them, and those of ignore files. */

import { badPattern } from "./bad_pattern.ts";
import { type CharacterSet, FOLDERS, MANY, ONE, type Part, STAR } from "./pattern_parts.ts";
import { compileParts } from "./wildcards.ts";

/**
 * Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]` and `\` before a character that stands for itself.
 *
 * @see https://pkg.go.dev/path/filepath#Match
 * @throws {Fault} for a malformed pattern.
 */
export function goMatcher(pattern: string): (path: string) => boolean {
  try {
    return compileParts(partsOf(pattern, false));
  } catch (cause) {
    throw badPattern(pattern, cause);
  }
}

/**
 * The same with `**`, as a line of an ignore file has it.
 *
 * @param below what is below a match matches too.
 * @see https://pkg.go.dev/github.com/moby/patternmatcher
 * @throws {Error} for a malformed pattern.
 */
export function ignoreMatcher(pattern: string, below = true): (path: string) => boolean {
  // Only where nothing else is special do two stars in front stand for the beginning of a name too.
  const ending = /^\*\*([^*?[\]\\]+)$/.exec(pattern)?.[1];
  const parts: readonly Part[] = ending === undefined || ending.startsWith("/")
    ? partsOf(pattern, true)
    : [MANY, ending];
  return compileParts(parts, below);
}

function partsOf(pattern: string, doubleStar: boolean): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === "*" && doubleStar && pattern[at + 1] === "*") {
      // Several of them in a row say no more than one.
      while (pattern.startsWith("**", at)) at += pattern[at + 2] === "/" ? 3 : 2;
      // At the end everything below; elsewhere any number of whole components.
      parts.push(at >= pattern.length ? MANY : FOLDERS);
      at--;
    } else if (char === "*") parts.push(STAR);
    else if (char === "?") parts.push(ONE);
    else if (char === "[") {
      const { set, end } = bracket(pattern, at);
      parts.push(set);
      at = end;
    } else if (char === "\\") {
      if (++at === pattern.length) throw new Error("The pattern ends in an escape");
      parts.push(pattern[at]!);
    } else parts.push(char);
  }
  return parts;
}

function bracket(pattern: string, start: number): { set: CharacterSet; end: number } {
  let at = start + 1;
  const negated = pattern[at] === "^";
  if (negated) at++;
  const ranges: [number, number][] = [];
  const first = at;
  const member = (): number => {
    const isEscaped = pattern[at] === "\\";
    if (isEscaped) at++;
    const code = pattern.codePointAt(at);
    if (code === undefined || (!isEscaped && "-]".includes(pattern[at]!))) {
      throw new Error(`The bracket in "${pattern}" is malformed`);
    }
    at += code > 0xffff ? 2 : 1;
    return code;
  };
  while (pattern[at] !== "]" || at === first) {
    if (at >= pattern.length) throw new Error(`The bracket in "${pattern}" is not closed`);
    const low = member();
    let high = low;
    if (pattern[at] === "-") {
      at++;
      high = member();
    }
    if (high < low) throw new Error(`A range in "${pattern}" ends before it begins`);
    ranges.push([low, high]);
  }
  return { set: { ranges, negated }, end: at };
}
