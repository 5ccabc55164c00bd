/** The simple commands of shell scripts, with the variables that scripts themselves set. */

import { endOfUnknown, isKnown, unknown } from "./partial.ts";

/** The value of a variable; undefined where only CI knows it. */
export type VariableLookup = (name: string) => string | undefined;

/** A command as it would be started. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** Its working folder, as far as `cd` tells. */
  readonly folder: string;
  /** Variables at that moment. */
  readonly lookup: VariableLookup;
}

/** Words that stand in front of a command. */
const PREFIXES = new Set([
  ...["do", "then", "else", "if", "elif", "while", "until", "!", "{", "(", "sudo", "time", "exec"],
  ...["env", "command", "-E", "@"],
]);

/** Most values that a loop is followed through, and most commands of one script. */
const MOST_VALUES = 50;
const MOST_COMMANDS = 20_000;

/** The commands of a script, those of loops over written values once for each value. */
export function shellCommands(
  script: string,
  outer: VariableLookup,
  folder = ".",
): ShellCommand[] {
  const raw = splitCommands(script);
  const set = new Map<string, string>();
  const lookup: VariableLookup = (name) => set.get(name) ?? outer(name);
  const found: ShellCommand[] = [];
  let here = folder;
  const run = (start: number, end: number): void => {
    for (let at = start; at < end; at++) {
      if (found.length >= MOST_COMMANDS) return;
      let words = raw[at]!;
      if (words[0] === "for" && words[2] === "in") {
        const done = endOfLoop(raw, at, end);
        const values = words.slice(3).flatMap((word) => expandShellWord(word, lookup));
        for (const value of values.slice(0, MOST_VALUES)) {
          set.set(words[1]!, value);
          run(at + 1, done);
        }
        at = done;
        continue;
      }
      while (words.length > 0 && PREFIXES.has(words[0]!)) words = words.slice(1);
      const isDeclaration = ["export", "declare", "local", "readonly"].includes(words[0] ?? "");
      if (isDeclaration) words = words.slice(1);
      const assigned: [string, string][] = [];
      while (words.length > 0 && /^[A-Za-z_]\w*\+?=/.test(words[0]!)) {
        const [name, value] = splitAt(words[0]!, "=");
        assigned.push([
          name.replace("+", ""),
          expandShellWord(`"${bare(value)}"`, lookup).join(" "),
        ]);
        words = words.slice(1);
      }
      if (words.length === 0 || isDeclaration) {
        for (const [name, value] of assigned) set.set(name, value);
        continue;
      }
      const own = new Map(assigned);
      const expanded = words.flatMap((word) => expandShellWord(word, lookup));
      if (["cd", "pushd"].includes(expanded[0] ?? "")) here = changed(here, expanded[1]);
      else {
        const before = new Map(set);
        found.push({
          words: expanded,
          folder: here,
          lookup: (name) => own.get(name) ?? before.get(name) ?? outer(name),
        });
      }
    }
  };
  run(0, raw.length);
  return found;
}

function changed(folder: string, to: string | undefined): string {
  if (to === undefined || to === "-") return unknown("cd");
  return to.startsWith("/") || !isKnown(to) ? to : `${folder}/${to}`;
}

function endOfLoop(raw: readonly (readonly string[])[], start: number, end: number): number {
  let depth = 0;
  for (let at = start; at < end; at++) {
    const first = raw[at]![0] === "do" ? raw[at]![1] : raw[at]![0];
    if (["for", "while", "until"].includes(first ?? "")) depth += 1;
    else if (raw[at]![0] === "done" && --depth === 0) return at;
  }
  return end;
}

/** The text of an assigned value without the quotes around all of it. */
function bare(value: string): string {
  const quote = value[0];
  const isQuoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote);
  if (!isQuoted) return value.replaceAll('"', "");
  return quote === "'" ? value.slice(1, -1).replace(/[\\$"`]/g, "\\$&") : value.slice(1, -1);
}

/** The parts before and after the first `separator`. */
export function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Commands as lists of words, their quotes and variables as written. */
function splitCommands(script: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (let at = 0; at < script.length; at++) {
    const char = script[at]!;
    if (char === "\\" && (script[at + 1] === "\n" || script.startsWith("\r\n", at + 1))) {
      endWord();
      at += script[at + 1] === "\n" ? 1 : 2;
    } else if (char === "\n" || char === ";" || char === "&" || char === "|") endCommand();
    else if (char === " " || char === "\t" || char === "\r") endWord();
    else if (char === "#" && word === undefined) {
      const end = script.indexOf("\n", at);
      at = (end < 0 ? script.length : end) - 1;
    } else if (char === "(" && word === undefined) {
      endCommand();
    } else if (char === ")" && !(word ?? "").includes("(")) endCommand();
    else {
      const end = endOfPiece(script, at);
      word = (word ?? "") + script.slice(at, end);
      at = end - 1;
    }
  }
  endCommand();
  return commands;
}

/** The end of a quoted text, an escape, a substitution or a plain character. */
function endOfPiece(text: string, start: number): number {
  const char = text[start]!;
  if (char === "\\") return Math.min(start + 2, text.length);
  if (char === "'" || char === "`") return after(text, char, start + 1);
  if (char === '"') return endOfDouble(text, start + 1);
  if (char === "$" && text[start + 1] === "(") return endOfParentheses(text, start + 1);
  if (char === "$" && text[start + 1] === "{") return after(text, "}", start + 2);
  return Math.max(start + 1, endOfUnknown(text, start));
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + 1;
}

function endOfDouble(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
    else if (text.startsWith("$(", at)) at = endOfParentheses(text, at + 1) - 1;
  }
  return text.length;
}

function endOfParentheses(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "'") at = after(text, "'", at + 1) - 1;
    else if (text[at] === "(") depth += 1;
    else if (text[at] === ")" && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Expands a word as a shell does: quotes are removed, unquoted values split at spaces. */
export function expandShellWord(word: string, lookup: VariableLookup): string[] {
  const words: string[] = [];
  let current: string | undefined;
  const addSplit = (value: string) => {
    if (!isKnown(value) || !/\s/.test(value)) {
      if (value !== "") current = (current ?? "") + value;
      return;
    }
    for (const [index, part] of value.split(/\s/).entries()) {
      if (index > 0 && current !== undefined) {
        words.push(current);
        current = undefined;
      }
      if (part !== "") current = (current ?? "") + part;
    }
  };
  let isDouble = false;
  for (let at = 0; at < word.length;) {
    const char = word[at]!;
    const end = isDouble && (char === "'" || char === '"') ? at + 1 : endOfPiece(word, at);
    if (char === '"') {
      isDouble = !isDouble;
      current ??= "";
      at += 1;
    } else if (char === "'" && !isDouble) {
      current = (current ?? "") + word.slice(at + 1, word[end - 1] === "'" ? end - 1 : end);
      at = end;
    } else if (char === "\\") {
      const isKept = isDouble && !'$`"\\'.includes(word[at + 1] ?? "");
      current = (current ?? "") + (isKept ? word.slice(at, end) : word.slice(at + 1, end));
      at = end;
    } else if (char === "$" || char === "`") {
      const { value, next } = variable(word, at, end, lookup);
      if (isDouble) current = (current ?? "") + value;
      else addSplit(value);
      at = next;
    } else {
      current = (current ?? "") + word.slice(at, end);
      at = end;
    }
  }
  if (current !== undefined) words.push(current);
  return words;
}

/** Expands a text as if it stood in double quotes. */
export function expandVariables(text: string, lookup: VariableLookup): string {
  let out = "";
  for (let at = 0; at < text.length;) {
    if (text[at] === "$" && text[at + 1] === "$") {
      out += "$";
      at += 2;
    } else if (text[at] === "$") {
      const { value, next } = variable(text, at, endOfPiece(text, at), lookup);
      out += value;
      at = next;
    } else out += text[at++];
  }
  return out;
}

function variable(
  text: string,
  at: number,
  end: number,
  lookup: VariableLookup,
): { readonly value: string; readonly next: number } {
  if (text[at] === "`" || text[at + 1] === "(") {
    const inner = text.slice(text[at] === "`" ? at + 1 : at + 2, end - 1).trim();
    return { value: inner === "pwd" ? "." : unknown(inner), next: end };
  }
  if (text[at + 1] === "{") {
    return { value: braced(text.slice(at + 2, end - 1), lookup), next: end };
  }
  const name = /^[A-Za-z_]\w*/.exec(text.slice(at + 1, at + 200))?.[0];
  if (name === undefined) {
    const special = /^[0-9@*#?!$-]/.exec(text[at + 1] ?? "")?.[0];
    if (special !== undefined) return { value: unknown(`$${special}`), next: at + 2 };
    return { value: "$", next: at + 1 };
  }
  return { value: lookup(name) ?? unknown(name), next: at + 1 + name.length };
}

/** `NAME`, `NAME:-default`, `NAME-default`, `NAME:?message`, `NAME:+other`. */
function braced(inner: string, lookup: VariableLookup): string {
  const [name] = /^[A-Za-z_]\w*/.exec(inner) ?? [];
  if (name === undefined) return unknown(inner);
  const rest = inner.slice(name.length);
  const value = lookup(name);
  if (rest === "") return value ?? unknown(name);
  const operator = /^:?[-?+]/.exec(rest)?.[0];
  if (operator === undefined) return unknown(inner);
  const isSet = value !== undefined && !(operator.startsWith(":") && value === "");
  const other = rest.slice(operator.length);
  if (operator.endsWith("+")) return isSet ? expandVariables(other, lookup) : "";
  if (isSet) return value;
  return operator.endsWith("-") ? expandVariables(other, lookup) : unknown(name);
}
