/**
 * Cutting a Dockerfile into its instructions: continuation lines, comments, here-documents.
 *
 * `dockerfile-ast` reads the parser directives. Where an instruction ends is decided here, by
 * Docker's rules: the library takes a `<<` inside quotes for a here-document and would swallow the
 * instructions after it.
 *
 * @see https://docs.docker.com/reference/dockerfile/#format
 */

import { DockerfileParser } from "dockerfile-ast";
import { expandWord, expandWords } from "./expand.ts";
import { faultAt, type Source, sourceOf, type Span } from "./place.ts";
import { jsonArray, splitFlags } from "./words.ts";

/** A here-document of COPY, ADD or RUN. */
export interface Heredoc {
  readonly name: string;
  /** Variables in its text are replaced (its name was not quoted). */
  readonly expand: boolean;
  /** Leading tabs are dropped (`<<-`). */
  readonly chomp: boolean;
  /** The text as it stands in the file. */
  readonly content: string;
}

/** One instruction as it is written, on one line. */
export interface Statement extends Span {
  /** In upper case. */
  readonly keyword: string;
  /** Flags, unquoted, e.g. `--from=build`. */
  readonly flags: readonly string[];
  /** What follows the flags. */
  readonly rest: string;
  /** What follows the keyword, flags included: what ONBUILD keeps. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
}

/** The instruction that an ONBUILD keeps, with its here-documents. */
export function triggerText({ text, heredocs }: Statement): string {
  return [text, ...heredocs.map(({ content, name }) => `${content}${name}`)].join("\n");
}

/** A Dockerfile's instructions in their order. */
export interface Statements {
  readonly source: Source;
  /** The escape character: a backslash, or a backtick by directive. */
  readonly escape: string;
  /** The image of a `# syntax=` directive. */
  readonly syntax?: string;
  readonly statements: readonly Statement[];
}

const DIRECTIVES = new Set(["syntax", "escape", "check"]);

const WITH_HEREDOC = new Set(["ADD", "COPY", "RUN"]);

/**
 * Cuts a Dockerfile's text.
 *
 * @param file the path shown in faults.
 * @throws {Fault} for a bad directive, a here-document without its end, or an empty file.
 */
export function readStatements(text: string, file: string): Statements {
  const plain = text.replace(/^\uFEFF/, "");
  const source = sourceOf(file, plain);
  const { escape, syntax } = readDirectives(plain, source);
  const lines = plain.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const statements: Statement[] = [];
  for (let at = 0; at < lines.length;) {
    if (isBlank(lines[at]!) || isComment(lines[at]!)) at++;
    else {
      const statement = readStatement(lines, at, escape, source);
      if (statement.keyword !== "") statements.push(statement);
      at = statement.endLine;
    }
  }
  return { source, escape, ...(syntax === undefined ? {} : { syntax }), statements };
}

function readDirectives(text: string, source: Source): { escape: string; syntax?: string } {
  let escape = "\\";
  let syntax: string | undefined;
  const seen = new Set<string>();
  // Only the comments at the very top can be directives: the library takes long over a long file.
  const top = /^(?:[ \t]*#.*\n?)*/.exec(text)![0];
  for (const directive of DockerfileParser.parse(top).getDirectives()) {
    const name = directive.getName().toLowerCase();
    const value = directive.getValue().trim();
    const line = directive.getRange().start.line + 1;
    // What looks like another directive is a comment, and ends them.
    if (!DIRECTIVES.has(name)) break;
    if (seen.has(name)) {
      throw faultAt(source, { line, endLine: line }, `The directive "${name}" is given twice`, {
        next: "remove one of the two",
      });
    }
    seen.add(name);
    if (name === "syntax") syntax = value;
    if (name !== "escape") continue;
    if (value !== "\\" && value !== "`") {
      throw faultAt(source, { line, endLine: line }, `Cannot escape with "${value}"`, {
        word: value,
        next: "use a backslash or a backtick in the escape directive",
      });
    }
    escape = value;
  }
  return { escape, ...(syntax === undefined ? {} : { syntax }) };
}

function readStatement(
  lines: readonly string[],
  start: number,
  escape: string,
  source: Source,
): Statement {
  const joined = joinLines(lines, start, escape);
  let { end } = joined;
  const text = textOf(joined.pieces);
  const { keyword, after } = splitKeyword(text);
  const { flags, rest } = splitFlags(after, escape);
  const span = { line: start + 1, endLine: end };
  const heredocs: Heredoc[] = [];
  for (const open of openedHeredocs(keyword.toUpperCase(), rest, text, escape)) {
    const body: string[] = [];
    let closed = false;
    while (end < lines.length && !closed) {
      const line = lines[end++]!;
      const mark = trimEnd(line, "\r");
      closed = (open.chomp ? mark.replace(/^\t+/, "") : mark) === open.name;
      if (!closed) body.push(`${line}\n`);
    }
    if (!closed) {
      throw faultAt(source, span, `The here-document "${open.name}" has no end`, {
        word: open.name,
        next: `add a line that holds only ${open.name}`,
      });
    }
    heredocs.push({ ...open, content: body.join("") });
  }
  return {
    keyword: keyword.toUpperCase(),
    flags: flags.map((flag) => flag.text),
    rest,
    text: after,
    heredocs,
    line: span.line,
    endLine: end,
  };
}

/** What one line adds to its instruction's text. */
export interface Piece {
  /** Counted from 0. */
  readonly line: number;
  /** Where in the line it begins. */
  readonly column: number;
  readonly text: string;
}

/** Joins an instruction's first line with those that continue it; `end` is the line behind them. */
export function joinLines(
  lines: readonly string[],
  start: number,
  escape: string,
): { readonly pieces: readonly Piece[]; readonly end: number } {
  const column = lines[start]!.length - lines[start]!.trimStart().length;
  let { text, continues } = cutContinuation(lines[start]!.slice(column), escape);
  const pieces: Piece[] = [{ line: start, column, text }];
  let end = start + 1;
  for (; continues && end < lines.length; end++) {
    const line = lines[end]!;
    if (isComment(line) || isBlank(line)) continue;
    ({ text, continues } = cutContinuation(line, escape));
    pieces.push({ line: end, column: 0, text });
  }
  return { pieces, end };
}

/** The text of an instruction's lines. */
export function textOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join("");
}

/** An instruction's first word, and what follows it. */
export function splitKeyword(text: string): { readonly keyword: string; readonly after: string } {
  const [, keyword = "", after = ""] = /^(\S*)\s*([^]*)$/.exec(text.trimStart())!;
  return { keyword, after };
}

/** An escape character at a line's end, unless it is itself escaped, joins the next line to it. */
function cutContinuation(line: string, escape: string): { text: string; continues: boolean } {
  const bare = trimEnd(line, "\r");
  const trimmed = trimEnd(bare, " \t");
  const continues = trimmed.endsWith(escape) && trimmed.at(-2) !== escape;
  return continues ? { text: trimmed.slice(0, -1), continues } : { text: bare, continues };
}

/** Long runs of such characters inside a line are passed over once: `/[ \t]+$/` tries each of them. */
function trimEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

function isComment(line: string): boolean {
  return /^\s*#/.test(line);
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

function openedHeredocs(
  keyword: string,
  rest: string,
  text: string,
  escape: string,
): Omit<Heredoc, "content">[] {
  if (!text.includes("<<")) return [];
  if (keyword === "ONBUILD") {
    const [, inner = "", after = ""] = /^(\S*)\s*([^]*)$/.exec(rest)!;
    // ONBUILD cannot leave another one.
    if (inner.toUpperCase() === keyword) return [];
    return openedHeredocs(inner.toUpperCase(), splitFlags(after, escape).rest, text, escape);
  }
  if (!WITH_HEREDOC.has(keyword) || isJson(rest)) return [];
  let words: string[];
  try {
    words = expandWords(text, keepUnset, { keepQuotes: true, keepEscapes: true });
  } catch {
    return []; // a lone quote: the shell of RUN may make sense of it, nothing here opens a document
  }
  return words.map(parseHeredoc).filter((found) => found !== undefined);
}

/** Reads `<<NAME`, `<<-NAME` or `<<"NAME"`, as one word; undefined where it is none. */
export function parseHeredoc(word: string): Omit<Heredoc, "content"> | undefined {
  const match = /^\d*<<(-?)\s*([^<]+)$/.exec(word);
  if (match === null) return undefined;
  try {
    const names = expandWords(match[2]!, keepUnset);
    if (names.length !== 1) return undefined;
    const quoted = expandWord(match[2]!, keepUnset, { keepQuotes: true }) !== names[0];
    return { name: names[0]!, expand: !quoted, chomp: match[1] === "-" };
  } catch {
    return undefined;
  }
}

/** Marks of here-documents are no place for variables: a `$` in them stays as it is. */
function keepUnset(name: string): string {
  return `$${name}`;
}

function isJson(text: string): boolean {
  try {
    return jsonArray(text) !== undefined;
  } catch {
    return true;
  }
}
