/** Builds in a repository's own scripts and Makefiles. */

import type { Findings } from "./ci/findings.ts";
import { readScript } from "./commands.ts";
import { fileOf, folderOf, type Repository } from "./repository.ts";
import { expandVariables } from "./shell.ts";

/** Characters of the longest script that is read. */
const LONGEST = 1_000_000;

/** Reads shell scripts and Makefiles that mention an engine. */
export function readScripts({ files, read }: Repository, findings: Findings): void {
  for (const path of files) {
    const file = fileOf(path);
    const isMake = /^(?:GNU)?[Mm]akefile$/.test(file) || file.endsWith(".mk");
    if (!isMake && !/\.(?:sh|bash)$/.test(file)) continue;
    const text = read(path);
    if (text.length > LONGEST || !/\b(?:build|bud)\b/.test(text)) continue;
    if (!/\b(?:docker|podman|buildah|nerdctl)\b/.test(text)) continue;
    // A file that a Makefile includes runs where that one stands, mostly at the top.
    const folder = isMake && !file.endsWith(".mk") ? folderOf(path) : ".";
    for (const script of isMake ? recipesOf(text) : [text]) {
      findings.addScript(readScript(script, () => undefined, path, "script", folder), path);
    }
  }
}

/** The lines that a Makefile runs, a shell for each, with its variables put in. */
function recipesOf(text: string): string[] {
  const joined = text.replace(/\\\r?\n/g, " ");
  const values = new Map<string, string>();
  const lookup = (name: string, depth = 8): string | undefined => {
    const value = values.get(name);
    if (value === undefined || depth === 0) return undefined;
    return expandVariables(braces(value), (other) => lookup(other, depth - 1));
  };
  const commands: string[] = [];
  for (const line of joined.split("\n")) {
    const [whole, name, value] = /^(?:export )?([\w.-]+)[ \t]*[?:]{0,3}=(.*)$/.exec(line) ?? [];
    if (line.startsWith("\t")) commands.push(line.replace(/^\t[@-]*/, ""));
    else if (whole !== undefined) values.set(name!, value!.trim());
  }
  return commands.map((line) => expandMake(braces(line), lookup));
}

/** `$(NAME)` as `${NAME}`; a function of make stays unknown. */
function braces(text: string): string {
  return text.replace(/\$\(([\w.-]+)\)/g, "${$1}");
}

/** Puts make's own variables in; `$$NAME` is the shell's. */
function expandMake(line: string, lookup: (name: string) => string | undefined): string {
  return line.split("$$").map((part) =>
    part.replace(/\$\{([\w.-]+)\}/g, (whole, name) => lookup(name) ?? whole)
  ).join("$");
}
