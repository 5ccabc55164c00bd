/** Texts measured in the columns they take in a terminal. */

import { unicodeWidth } from "@std/cli/unicode-width";

const PLAIN = /^[\x20-\x7e]*$/;

// deno-lint-ignore no-control-regex
const COLORS = /\x1b\[[\d;:]*m/g;

/** Made when a text must be cut: it takes longer than all else that is imported here. */
let graphemes: Intl.Segmenter | undefined;

/** Columns that a text takes; colours take none. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  const bare = text.replace(COLORS, "");
  return PLAIN.test(bare) ? bare.length : unicodeWidth(bare);
}

/** A text of at most so many columns; what is cut off at its end is shown as `…`. */
export function fit(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  if (columns <= 0) return "";
  return `${start(text, columns - 1)}…`;
}

/** A text filled up with spaces to so many columns. */
export function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}

/** A text in lines of at most so many columns, broken between words where that is possible. */
export function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, columns));
}

function wrapLine(text: string, columns: number): string[] {
  if (columnsOf(text) <= columns) return [text];
  const indent = `${/^ */.exec(text)![0]}  `;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=\S)(?= )/)) {
    if (line.trim() === "" || columnsOf(line + word) <= columns) line += word;
    else {
      lines.push(line);
      line = indent + word.trimStart();
    }
  }
  return [...lines, line];
}

function start(text: string, columns: number): string {
  let taken = "";
  let used = 0;
  graphemes ??= new Intl.Segmenter();
  for (const { segment } of graphemes.segment(text)) {
    used += columnsOf(segment);
    if (used > columns) break;
    taken += segment;
  }
  return taken;
}
