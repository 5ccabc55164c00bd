/** Faults that point into a Dockerfile. */

import { Fault, type FaultOptions } from "../../../lib/model/errors.ts";

/** A Dockerfile's text, cut into lines for excerpts. */
export interface Source {
  /** Path as it is shown, relative to images.ts. */
  readonly file: string;
  /** Lines without their endings. */
  readonly lines: readonly string[];
}

/** The lines of one instruction, counted from 1. */
export interface Span {
  readonly line: number;
  readonly endLine: number;
}

/** Cuts a text into a {@link Source}. */
export function sourceOf(file: string, text: string): Source {
  return { file, lines: text.split(/\r?\n/) };
}

/**
 * A fault about an instruction. `word` is looked for in its lines, so that the column and the
 * caret are those of the word that is wrong; without it they are the instruction's own.
 */
export function faultAt(
  source: Source,
  span: Span,
  message: string,
  options: Omit<FaultOptions, "place" | "excerpt"> & { readonly word?: string } = {},
): Fault {
  const { word, ...rest } = options;
  const { line, column } = find(source, span, word);
  return new Fault(message, {
    ...rest,
    place: { file: source.file, line, column },
    excerpt: excerpt(source, line, column),
  });
}

function find(source: Source, span: Span, word?: string): { line: number; column: number } {
  if (word !== undefined && word !== "") {
    for (let line = span.line; line <= span.endLine; line++) {
      const at = (source.lines[line - 1] ?? "").lastIndexOf(word);
      if (at >= 0) return { line, column: at + 1 };
    }
  }
  const first = source.lines[span.line - 1] ?? "";
  return { line: span.line, column: first.length - first.trimStart().length + 1 };
}

/** Characters of a line that are shown. */
const WIDEST = 400;

/** A word as faults name it. */
export function shortened(word: string): string {
  return word.length <= 100 ? word : `${word.slice(0, 100)}…`;
}

/** The line before, the line itself with a caret below, and the line after. */
function excerpt(source: Source, line: number, column: number): string {
  const width = String(line + 1).length;
  const shown: string[] = [];
  // Of a line of thousands of characters only those around the place are shown.
  const from = Math.max(0, column - WIDEST / 2);
  const cut = (text: string) => text.slice(from, from + WIDEST);
  for (let at = Math.max(1, line - 1); at <= Math.min(source.lines.length, line + 1); at++) {
    const text = source.lines[at - 1] ?? "";
    if (at === line + 1 && text === "") continue;
    shown.push(`${at === line ? ">" : " "} ${String(at).padStart(width)} | ${cut(text)}`.trimEnd());
    if (at === line) {
      const indent = text.slice(from, column - 1).replace(/[^\t]/g, " ");
      shown.push(`  ${" ".repeat(width)} | ${indent}^`);
    }
  }
  return shown.join("\n");
}
