/** Splitting an instruction's text: flags, words, names and values, JSON arrays. */

/** `KEY=value`, or one half of the older form `KEY value`. Still quoted and unexpanded. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** A flag, and where in a text it is written. */
export interface Flag {
  /** Unquoted. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The flags in front of an instruction's arguments, and what follows them. */
export function splitFlags(text: string, escape: string): { flags: Flag[]; rest: string } {
  const flags: Flag[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text[at]!)) at++;
    if (!text.startsWith("--", at)) return { flags, rest: text.slice(at).trim() };
    const flag = flagAt(text, at, escape);
    at = flag.end;
    if (flag.text === "--") return { flags, rest: text.slice(at).trim() };
    flags.push(flag);
  }
}

function flagAt(text: string, start: number, escape: string): Flag {
  let out = "";
  let quote = "";
  let at = start;
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (quote === "" && /\s/.test(char)) break;
    if (quote === "" && (char === "'" || char === '"')) quote = char;
    else if (char === quote) quote = "";
    else if (char === escape) out += text[++at] ?? "";
    else out += char;
  }
  return { text: out, start, end: at };
}

/** Words at spaces outside quotes; quotes and escapes stay, as they are removed by expansion. */
export function splitWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quote === "" && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= "";
    if (char === escape && quote !== "'") {
      if (at + 1 < text.length) word += char + text[++at]!;
      continue;
    }
    if (quote === "" && (char === "'" || char === '"')) quote = char;
    else if (char === quote) quote = "";
    word += char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/**
 * `NAME=value …`, or the older form `NAME value` where the first word has no `=`.
 *
 * @throws {Error} where a word has no `=`, or a name has no value.
 */
export function splitPairs(text: string, escape: string): Pair[] {
  const words = splitWords(text, escape);
  const first = words[0];
  if (first === undefined) return [];
  if (!first.includes("=")) {
    const match = /^(\S+)[\t\v\f\r ]+([^]*)$/.exec(text);
    if (match === null) throw new Error(`"${first}" has no value`);
    return [{ name: match[1]!, value: match[2]! }];
  }
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 0) throw new Error(`"${word}" has no "="`);
    if (at === 0) throw new Error(`"${word}" has no name before "="`);
    return { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}

/**
 * A JSON array of strings and what is written behind it: Docker 26 and buildah skip that, newer
 * frontends take all of it for a text.
 */
export function leadingJsonArray(
  text: string,
): { readonly strings: string[]; readonly behind: string } | undefined {
  // A space is matched in one way only: with several, a missing comma would take for ever.
  const array = /^\[\s*(?:"(?:[^"\\]|\\[^])*"\s*(?:,\s*)?)*\]/.exec(text)?.[0] ?? "";
  const strings = jsonArray(array);
  return strings === undefined ? undefined : { strings, behind: text.slice(array.length).trim() };
}

/** The strings of a JSON array; undefined where the text is none. @throws {Error} for other members. */
export function jsonArray(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (value.every((item) => typeof item === "string")) return value;
  throw new Error("Only strings can be in a JSON array");
}
