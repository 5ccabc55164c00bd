/**
 * Finding words in the source of a call: the key of an option, a name in a list. It scans text and
 * knows strings, templates, comments and brackets; it need not know TypeScript.
 */

import type { Place } from "../model/errors.ts";

/** One step of a scan. */
interface Token {
  readonly kind: "word" | "string" | "punctuation";
  /** The word, the string's content, or the character. */
  readonly text: string;
  /** Offset of the first character (of a string: of its quote). */
  readonly at: number;
  readonly depth: number;
}

/**
 * The place of a key, or of a string below it, in the call that begins at `start`.
 *
 * @param path keys to go through, e.g. `["images", "app", "needs"]`.
 * @param word a string to find in the value of the last key.
 * @returns the best that was found; `start` where nothing was.
 */
export function locate(
  text: string,
  start: Place,
  path: readonly string[],
  word?: string,
): Place {
  const from = offsetOf(text, start);
  const tokens = [...scan(text, from)];
  let low = 0;
  let high = tokens.length;
  let depth = -1;
  let best = from;
  for (const key of path) {
    const found = findKey(tokens, low, high, key, depth);
    if (found === undefined) return placeOf(text, best, start.file);
    best = tokens[found]!.at;
    depth = tokens[found]!.depth;
    low = found + 1;
    high = endOfValue(tokens, low, high, depth);
  }
  if (word !== undefined) {
    const literal = tokens.slice(low, high).find(({ kind, text }) =>
      kind === "string" && text === word
    );
    if (literal !== undefined) best = literal.at;
  }
  return placeOf(text, best, start.file);
}

/** A key is a word or string before a colon (or, in shorthand, before a comma or bracket). */
function findKey(
  tokens: readonly Token[],
  low: number,
  high: number,
  key: string,
  above: number,
): number | undefined {
  let best: number | undefined;
  for (let at = low; at < high; at++) {
    const token = tokens[at]!;
    if (token.kind === "punctuation" || token.text !== key || token.depth <= above) continue;
    const next = tokens[at + 1]?.text;
    const isKey = next === ":" ||
      (token.kind === "word" && (next === "," || next === "}" || next === "("));
    if (!isKey) continue;
    if (best === undefined || token.depth < tokens[best]!.depth) best = at;
  }
  return best;
}

function endOfValue(tokens: readonly Token[], low: number, high: number, depth: number): number {
  for (let at = low; at < high; at++) {
    const { kind, text, depth: here } = tokens[at]!;
    if (kind === "punctuation" && ((text === "," && here === depth) || here < depth)) return at;
  }
  return high;
}

/** The tokens of a call, from its opening bracket to the closing one. */
function* scan(text: string, from: number): Generator<Token> {
  let depth = 0;
  let opened = false;
  for (let at = from; at < text.length;) {
    const char = text[at]!;
    if (char === "/" && (text[at + 1] === "/" || text[at + 1] === "*")) {
      at = endOfComment(text, at);
    } else if (char === '"' || char === "'" || char === "`") {
      const end = endOfString(text, at);
      yield { kind: "string", text: unquoted(text.slice(at + 1, end)), at, depth };
      at = end + 1;
    } else if (/[A-Za-z_$]/.test(char)) {
      const [word = char] = /^[\w$]+/.exec(text.slice(at, at + 200)) ?? [];
      yield { kind: "word", text: word, at, depth };
      at += word.length;
    } else {
      if ("([{".includes(char)) {
        depth += 1;
        opened = true;
      } else if (")]}".includes(char)) depth -= 1;
      if (!/[\s\d]/.test(char)) yield { kind: "punctuation", text: char, at, depth };
      at += 1;
      if (opened && depth <= 0) return;
    }
  }
}

function endOfComment(text: string, at: number): number {
  const end = text[at + 1] === "/" ? text.indexOf("\n", at) : text.indexOf("*/", at + 2) + 2;
  return end < 2 ? text.length : end;
}

function endOfString(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote) return at;
  }
  return text.length;
}

function unquoted(content: string): string {
  return content.replace(/\\(.)/gs, "$1");
}

function offsetOf(text: string, { line, column }: Place): number {
  let at = 0;
  for (let row = 1; row < line; row++) {
    const next = text.indexOf("\n", at);
    if (next < 0) return at;
    at = next + 1;
  }
  return Math.min(text.length, at + column - 1);
}

/** The place of an offset in a file's text. */
export function placeOf(text: string, offset: number, file: string): Place {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { file, line, column: offset - before.lastIndexOf("\n") };
}

/** The line of a place with its neighbours, and a mark below the word. */
export function excerpt(text: string, place: Place): string {
  const lines = text.split(/\r?\n/);
  const first = Math.max(1, place.line - 1);
  const width = String(place.line + 1).length;
  const shown: string[] = [];
  for (let row = first; row <= Math.min(lines.length, place.line + 1); row++) {
    const line = lines[row - 1] ?? "";
    shown.push(`${String(row).padStart(width)} | ${line}`.trimEnd());
    if (row !== place.line) continue;
    const rest = line.slice(place.column - 1);
    const [word = " "] = /^(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[\w$.-]+|.)/.exec(rest) ?? [];
    const lead = line.slice(0, place.column - 1).replace(/[^\t]/g, " ");
    shown.push(`${" ".repeat(width)} | ${lead}${"^".repeat(Math.max(1, word.length))}`);
  }
  return shown.join("\n");
}
