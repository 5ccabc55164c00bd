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
  const parts = parse(pattern);
  const chars = charsOf(value, parts);
  const found = endOf(parts, chars, 0, longest);
  return found === undefined ? value : chars.slice(found).join("");
}

/** The value without the shortest (or longest) ending that matches. */
export function removeSuffix(value: string, pattern: string, longest: boolean): string {
  const parts = parse(pattern).toReversed();
  const chars = charsOf(value, parts);
  const found = endOf(parts, chars.toReversed(), 0, longest);
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
  const chars = charsOf(value, parts);
  let out = "";
  let behind = -1;
  for (let at = 0; at <= chars.length;) {
    const found = firstMatch(parts, chars, at);
    if (found === undefined) return out + chars.slice(at).join("");
    const { start, end } = found;
    out += chars.slice(at, start).join("");
    // As in Go, nothing is matched once more right behind a match.
    if (start < end || end !== behind) out += replacement;
    if (!all) return out + chars.slice(end).join("");
    if (start === end) out += chars[end] ?? "";
    at = start === end ? end + 1 : end;
    behind = end;
  }
  return out;
}

/** Steps that a comparison may take. */
const MOST_STEPS = 64 * 1024 * 1024;

function charsOf(value: string, parts: readonly Part[]): string[] {
  if (value.length * parts.length <= MOST_STEPS) return [...value];
  throw new Error("The value is too long for the pattern");
}

/** The first match from a place on, as long as can be; all beginnings are followed at once. */
function firstMatch(
  parts: readonly Part[],
  chars: readonly string[],
  from: number,
): { readonly start: number; readonly end: number } | undefined {
  let best: { readonly start: number; readonly end: number } | undefined;
  // Place in the pattern → where the first match begins that got there.
  let places = new Map<number, number>();
  for (let at = from;; at++) {
    if (best === undefined) enter(parts, places, 0, at);
    const start = places.get(parts.length);
    if (start !== undefined && start <= (best?.start ?? start)) best = { start, end: at };
    if (at >= chars.length) return best;
    const next = new Map<number, number>();
    for (const [place, begun] of places) {
      if (best !== undefined && begun > best.start) continue;
      const part = parts[place];
      if (part === MANY) enter(parts, next, place, begun);
      else if (part === ONE || part === chars[at]) enter(parts, next, place + 1, begun);
    }
    if (best !== undefined && next.size === 0) return best;
    places = next;
  }
}

/** Enters a place, and those behind its stars, unless an earlier match got there. */
function enter(
  parts: readonly Part[],
  places: Map<number, number>,
  place: number,
  start: number,
): void {
  for (let at = place; (places.get(at) ?? Infinity) > start; at++) {
    places.set(at, start);
    if (parts[at] !== MANY) return;
  }
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
