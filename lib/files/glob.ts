/** Globs: `**`, `*`, `?`, `[…]`, `{a,b}`, `{1..3}`, `+(a|b)` and its like; dot files match. */

import { badPattern } from "./bad_pattern.ts";
import {
  type CharacterSet,
  FOLDERS,
  type Group,
  MANY,
  ONE,
  type Part,
  type PathTest,
  STAR,
} from "./pattern_parts.ts";
import { compileParts } from "./wildcards.ts";

/** How deep groups may be nested, and how many numbers a range may name. */
const MOST_NESTED = 50;
const MOST_NUMBERS = 1000;

/**
 * Compiles a glob. `**` as a component of its own stands for any number of folders, and at the end
 * for the folder in front of it too, unless that ends in a star.
 *
 * @throws {Fault} for a malformed one.
 */
export function globMatcher(pattern: string): PathTest {
  // What is below `src` is what `src/**` means, and `src` itself; but not each `a` by `*/**`.
  const body = pattern.replace(/^\.\//, "");
  const end = /(?:\/\*\*)+$/.exec(body);
  const isBelow = end !== null && /(?:[^\\*]|\\[^])$/.test(body.slice(0, end.index));
  const reader = new GlobReader(isBelow ? body.slice(0, end.index) : body, pattern);
  return compileParts(reader.read(), isBelow);
}

class GlobReader {
  #at = 0;
  #depth = 0;

  constructor(readonly text: string, readonly shown: string) {}

  read(): Part[] {
    if (this.text === "") throw badPattern(this.shown, undefined, "write a pattern");
    return this.#sequence("")[0]!;
  }

  /** What stands up to one of the stops, parted at the separator among them. */
  #sequence(stop: "" | ",}" | "|)"): Part[][] {
    const all: Part[][] = [[]];
    const { text } = this;
    while (this.#at < text.length) {
      const char = text[this.#at]!;
      if (stop !== "" && char === stop[1]) return all;
      if (stop !== "" && char === stop[0]) {
        all.push([]);
        this.#at++;
      } else all.at(-1)!.push(this.#part(char));
    }
    if (stop !== "") throw badPattern(this.shown);
    return all;
  }

  #part(char: string): Part {
    const { text } = this;
    if ("?*+@!".includes(char) && text[this.#at + 1] === "(") return this.#extended(char);
    if (char === "(") return this.#group(1, "|)");
    if (char === "{") return this.#braces();
    if (char === "[") return this.#brackets();
    if (char === "*") return this.#stars();
    this.#at++;
    if (char === "?") return ONE;
    if (char !== "\\") return char;
    if (this.#at === text.length) throw badPattern(this.shown);
    return text[this.#at++]!;
  }

  #extended(sign: string): Part {
    if (sign === "!") {
      throw badPattern(this.shown, undefined, "leave out by a pattern of its own: `!` in front");
    }
    const group = this.#group(2, "|)");
    return { ...group, optional: "?*".includes(sign), repeated: "+*".includes(sign) };
  }

  #group(opening: number, stop: ",}" | "|)"): Group {
    if (++this.#depth > MOST_NESTED) {
      throw badPattern(this.shown, undefined, "nest its groups less deep");
    }
    this.#at += opening;
    const alternatives = this.#sequence(stop);
    this.#at++;
    this.#depth--;
    return { alternatives, optional: false, repeated: false };
  }

  #braces(): Part {
    const range = /^\{(-?\d{1,9}|[^{},.])\.\.(-?\d{1,9}|[^{},.])\}/su
      .exec(this.text.slice(this.#at, this.#at + 30));
    if (range !== null) {
      this.#at += range[0].length;
      return this.#range(range[1]!, range[2]!);
    }
    const group = this.#group(1, ",}");
    // Braces without a comma are themselves.
    const [only = [], ...others] = group.alternatives;
    return others.length > 0 ? group : { ...group, alternatives: [["{", ...only, "}"]] };
  }

  #range(from: string, to: string): Part {
    const [low, high] = [Number(from), Number(to)].toSorted((a, b) => a - b) as [number, number];
    if (Number.isNaN(low) || Number.isNaN(high)) {
      const codes = [from.codePointAt(0)!, to.codePointAt(0)!].toSorted((a, b) => a - b);
      return { ranges: [[codes[0]!, codes[1]!]], negated: false };
    }
    if (high - low >= MOST_NUMBERS) {
      throw badPattern(this.shown, undefined, "name fewer numbers, or write a star");
    }
    const width = /^-?0\d/.test(from) || /^-?0\d/.test(to) ? Math.max(from.length, to.length) : 0;
    const alternatives = Array.from(
      { length: high - low + 1 },
      (_, at) => [String(low + at).padStart(width, "0")],
    );
    return { alternatives, optional: false, repeated: false };
  }

  /** `**` crosses folders where it is a component of its own or ends in a group, and else is `*`. */
  #stars(): Part {
    const { text } = this;
    const start = this.#at;
    while (text[this.#at] === "*") this.#at++;
    // The last star before a parenthesis begins a group.
    if (text[this.#at] === "(" && this.#at > start + 1) {
      this.#at--;
      return STAR;
    }
    const opens = start === 0 || "/{,(|".includes(text[start - 1]!);
    const behind = text[this.#at];
    if (this.#at - start !== 2 || !opens) return STAR;
    if (behind === "/") {
      this.#at++;
      return FOLDERS;
    }
    return behind === undefined || "{(,}|)".includes(behind) ? MANY : STAR;
  }

  /** An unclosed bracket is itself. */
  #brackets(): Part {
    const { text } = this;
    let at = this.#at + 1;
    const negated = text[at] === "!" || text[at] === "^";
    if (negated) at++;
    const ranges: (readonly [number, number])[] = [];
    const first = at;
    const member = (): number => {
      if (text[at] === "\\" && at + 1 < text.length) at++;
      const code = text.codePointAt(at)!;
      at += code > 0xffff ? 2 : 1;
      return code;
    };
    while (text[at] !== "]" || at === first) {
      if (at >= text.length) {
        this.#at++;
        return "[";
      }
      const named = /^\[:(\w{1,10}):\]/.exec(text.slice(at, at + 16));
      const set = named === null ? undefined : CLASSES[named[1]!];
      if (set !== undefined) {
        ranges.push(...set);
        at += named![0].length;
        continue;
      }
      const low = member();
      let high = low;
      if (text[at] === "-" && at + 1 < text.length && text[at + 1] !== "]") {
        at++;
        high = member();
      }
      if (high < low) {
        throw badPattern(this.shown, undefined, "let ranges begin with the lower end");
      }
      ranges.push([low, high]);
    }
    this.#at = at + 1;
    return { ranges, negated };
  }
}

const DIGITS: [number, number] = [48, 57];
const UPPER: [number, number] = [65, 90];
const LOWER: [number, number] = [97, 122];
const PUNCTUATION: [number, number][] = [[33, 47], [58, 64], [91, 96], [123, 126]];

/** Of POSIX, in ASCII. */
const CLASSES: Readonly<Record<string, CharacterSet["ranges"]>> = {
  alnum: [DIGITS, UPPER, LOWER],
  alpha: [UPPER, LOWER],
  ascii: [[0, 127]],
  blank: [[9, 9], [32, 32]],
  cntrl: [[0, 31], [127, 127]],
  digit: [DIGITS],
  graph: [[33, 126]],
  lower: [LOWER],
  print: [[32, 126]],
  punct: PUNCTUATION,
  space: [[9, 13], [32, 32]],
  upper: [UPPER],
  word: [DIGITS, UPPER, LOWER, [95, 95]],
  xdigit: [DIGITS, [65, 70], [97, 102]],
};
