/**
 * The .bazelrc chain: what is read, and the environment variables that its options let through.
 *
 * @see https://bazel.build/run/bazelrc
 */

import { resolve } from "@std/path";
import { isBelow, readIfThere } from "./reading.ts";

/** The files of a chain. Missing ones are listed too, for they may appear. */
export interface RcChain {
  /** Absolute paths of the workspace's own: its .bazelrc and what that must import by its place. */
  readonly own: readonly string[];
  /** Absolute paths of everything else: the system's, the user's, what is imported if it is there. */
  readonly local: readonly string[];
  /** Its lines of options, in the order in which Bazel reads them. */
  readonly lines: readonly RcLine[];
  /** Every word of the options in it. */
  readonly words: readonly string[];
}

/** Options of a command. */
export interface RcLine {
  /** The command that they are for, with a configuration as in `build:ci`. */
  readonly command: string;
  readonly words: readonly string[];
  /** It stands in one of the workspace's own files. */
  readonly isOwn: boolean;
}

/** The system's file, as Bazel is released and as Debian builds it. */
const SYSTEM = ["/etc/bazel.bazelrc", "/etc/bazel/bazelrc"];

/** Reads the chain of a workspace. */
export function rcChain(workspace: string, home: string | undefined): RcChain {
  const own = new Set<string>();
  const local = new Set<string>();
  const lines: RcLine[] = [];
  const visit = (path: string, isOwn: boolean) => {
    if (own.has(path) || (local.has(path) && !isOwn)) return;
    if (isOwn) local.delete(path);
    (isOwn ? own : local).add(path);
    for (const [command = "", ...words] of linesOf(path)) {
      const [target] = words;
      if ((command !== "import" && command !== "try-import") || target === undefined) {
        lines.push({ command, words, isOwn });
        continue;
      }
      // Bazel is started in the workspace, which paths that are not absolute are relative to.
      const imported = resolve(workspace, target.replace(/^%workspace%/, workspace));
      const isFixed = !target.startsWith("/") || isBelow(imported, workspace);
      visit(imported, isOwn && isFixed && command === "import");
    }
  };
  for (const path of SYSTEM) visit(path, false);
  visit(`${workspace}/.bazelrc`, true);
  if (home !== undefined) visit(`${home}/.bazelrc`, false);
  return { own: [...own], local: [...local], lines, words: lines.flatMap(({ words }) => words) };
}

/**
 * The words that Bazel gives to a build besides those of all commands: of the chain, and what was
 * given, each configuration replaced by what it stands for.
 */
export function wordsOfBuild({ lines }: RcChain, given: readonly string[]): string[] {
  const expanded = (words: readonly string[], open: readonly string[]): string[] =>
    withValues(words, (word) => word === "--config").flatMap((word) => {
      const [, config] = /^--config=(.*)$/.exec(word) ?? [];
      if (config === undefined) return [word];
      if (open.includes(config)) return [];
      const commands = ["always", "common", "build"].map((command) => `${command}:${config}`);
      const chosen = lines.filter(({ command }) => commands.includes(command));
      return expanded(chosen.flatMap(({ words }) => words), [...open, config]);
    });
  const always = lines.filter(({ command }) => command === "build");
  return expanded([...always.flatMap(({ words }) => words), ...given], []);
}

/** Makes one word of an option and the word that is its value. */
export function withValues(
  words: readonly string[],
  takesValue: (word: string) => boolean,
): string[] {
  const joined: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const hasValue = takesValue(word) && at + 1 < words.length;
    joined.push(hasValue ? `${word}=${words[++at]}` : word);
  }
  return joined;
}

/** Options that let variables of the environment through by name. */
const LETS_THROUGH = ["--action_env", "--host_action_env", "--repo_env", "--client_env"];

/** Variables that an option lets through; one with a value of its own is not looked at. */
export function variablesOf(words: readonly string[]): string[] {
  return valuesOf(words, LETS_THROUGH).filter((value) => /^[A-Za-z_]\w*$/.test(value));
}

/** Options whose files decide what is built. */
const NAME_FILES = ["--platform_mappings", "--workspace_status_command"];

/** Absolute paths of the workspace's files that options name. */
export function filesNamedBy(words: readonly string[], workspace: string): string[] {
  const paths = valuesOf(words, NAME_FILES).map((value) => resolve(workspace, value));
  return paths.filter((path) => isBelow(path, workspace));
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
