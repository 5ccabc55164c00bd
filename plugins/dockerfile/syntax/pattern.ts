/**
 * The patterns of `${x#p}`, `${x%p}` and `${x/p/r}`: `*` and `?`, a backslash takes either
 * literally; there are no bracket expressions.
 *
 * All places where a match can be are followed at once, as Go does: a regular expression here would
 * try each way to part a value among several stars, and not end.
 */

/** Any one character. */
const ONE = Symbol("?");
/** Any number of characters. */
const MANY = Symbol("*");

type Part = string | typeof ONE | typeof MANY;

/** The value without the shortest (or longest) beginning that matches. */
export function removePrefix(value: string, pattern: string, longest: boolean): string {
  const chars = [...value];
  const found = endOf(parse(pattern), chars, 0, longest);
  return found === undefined ? value : chars.slice(found).join("");
}

/** The value without the shortest (or longest) ending that matches. */
export function removeSuffix(value: string, pattern: string, longest: boolean): string {
  const chars = [...value];
  const found = endOf(parse(pattern).toReversed(), chars.toReversed(), 0, longest);
  return found === undefined ? value : chars.slice(0, chars.length - found).join("");
}

/** The value with the first match (or all of them) replaced; matches are as long as can be. */
export function replacePattern(
  value: string,
  pattern: string,
  replacement: string,
  all: boolean,
): string {
  const parts = parse(pattern);
  const chars = [...value];
  let out = "";
  let behind = -1;
  for (let at = 0; at <= chars.length;) {
    const end = endOf(parts, chars, at, true);
    // As in Go, nothing is matched once more right behind a match.
    if (end !== undefined && !(end === at && at === behind)) out += replacement;
    if (end !== undefined && !all) return out + chars.slice(end).join("");
    behind = end ?? behind;
    if (end === undefined || end === at) out += chars[at++] ?? "";
    else at = end;
  }
  return out;
}

/** Where the shortest (or longest) match that begins at a place ends; undefined where none does. */
function endOf(
  parts: readonly Part[],
  chars: readonly string[],
  start: number,
  longest: boolean,
): number | undefined {
  let found: number | undefined;
  let places = reach(parts, [0]);
  for (let at = start;; at++) {
    if (places.has(parts.length)) {
      found = at;
      if (!longest) return found;
    }
    if (at >= chars.length || places.size === 0) return found;
    const next: number[] = [];
    for (const place of places) {
      const part = parts[place];
      if (part === MANY) next.push(place);
      else if (part === ONE || part === chars[at]) next.push(place + 1);
    }
    places = reach(parts, next);
  }
}

/** The places in a pattern that are reached, those behind stars too. */
function reach(parts: readonly Part[], places: readonly number[]): Set<number> {
  const reached = new Set<number>();
  for (let place of places) {
    reached.add(place);
    while (parts[place] === MANY) reached.add(++place);
  }
  return reached;
}

function parse(pattern: string): Part[] {
  const chars = [...pattern];
  const parts: Part[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === "*") {
      if (parts.at(-1) !== MANY) parts.push(MANY);
    } else if (char === "?") parts.push(ONE);
    else if (char !== "\\") parts.push(char);
    else {
      const escaped = chars[++at];
      if (escaped === undefined || !"}/*?\\".includes(escaped)) {
        throw new Error(`The escape "\\${escaped ?? ""}" in the pattern is not supported`);
      }
      parts.push(escaped);
    }
  }
  return parts;
}
