/**
 * The .bazelrc chain: what is read, and the environment variables that its options let through.
 *
 * @see https://bazel.build/run/bazelrc
 */

import { readIfThere } from "./reading.ts";

/** The files of a chain. Missing ones are listed too, for they may appear. */
export interface RcChain {
  /** Absolute paths of the workspace's own: its .bazelrc and what that must import from it. */
  readonly own: readonly string[];
  /** Absolute paths of everything else: the system's, the user's, what is imported if it is there. */
  readonly local: readonly string[];
  /** Every word of the options in it. */
  readonly words: readonly string[];
}

/** The system's file, as Bazel is released and as Debian builds it. */
const SYSTEM = ["/etc/bazel.bazelrc", "/etc/bazel/bazelrc"];

/** Reads the chain of a workspace. */
export function rcChain(workspace: string, home: string | undefined): RcChain {
  const own = new Set<string>();
  const local = new Set<string>();
  const words: string[] = [];
  const visit = (path: string, isOwn: boolean) => {
    if (own.has(path) || (local.has(path) && !isOwn)) return;
    if (isOwn) local.delete(path);
    (isOwn ? own : local).add(path);
    for (const [command, ...rest] of linesOf(path)) {
      const [target] = rest;
      if ((command !== "import" && command !== "try-import") || target === undefined) {
        words.push(...rest);
        continue;
      }
      const imported = target.replace(/^%workspace%/, workspace);
      const inside = imported.startsWith(`${workspace}/`);
      visit(imported, isOwn && inside && command === "import");
    }
  };
  for (const path of SYSTEM) visit(path, false);
  visit(`${workspace}/.bazelrc`, true);
  if (home !== undefined) visit(`${home}/.bazelrc`, false);
  return { own: [...own], local: [...local], words };
}

/** Options that let variables of the environment through by name. */
const LETS_THROUGH = ["--action_env", "--host_action_env", "--repo_env", "--client_env"];

/** Variables that an option lets through; one with a value of its own is not looked at. */
export function variablesOf(words: readonly string[]): string[] {
  return valuesOf(words, LETS_THROUGH).filter((value) => /^[A-Za-z_]\w*$/.test(value));
}

/** Values of options, written as `--name=value` or as `--name value`. */
export function valuesOf(words: readonly string[], names: readonly string[]): string[] {
  return words.flatMap((word, at) => {
    const equals = word.indexOf("=");
    if (equals > 0) return names.includes(word.slice(0, equals)) ? [word.slice(equals + 1)] : [];
    const next = words[at + 1];
    return names.includes(word) && next !== undefined ? [next] : [];
  });
}

function linesOf(path: string): string[][] {
  const lines = readIfThere(path).replace(/\\\r?\n/g, "").split("\n");
  return lines.map(splitWords).filter((words) => words.length > 0);
}

/** Words as Bazel cuts them: quotes hold together, a backslash takes its next character as it is. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    if (char === "\\") word = (word ?? "") + (line[++at] ?? "");
    else if (quote !== "") {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (char === "#") break;
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}
