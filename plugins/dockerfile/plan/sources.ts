/** What the sources of COPY and ADD name. */

import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import { parseHeredoc } from "../syntax/statements.ts";
import { cleanPattern, goMatcher, IgnorePatterns } from "./match.ts";

/** As Linux: no path has more bytes. */
const LONGEST_PATH = 4096;

/** The arguments that are paths: neither here-documents nor the destination. */
export function pathArguments(instruction: Instruction): readonly string[] {
  return instruction.args.slice(0, -1).filter((word) => !isHeredoc(instruction, word));
}

/** Says whether an argument of COPY or ADD is the mark of a here-document. */
export function isHeredoc(instruction: Instruction, word: string): boolean {
  return !instruction.json && parseHeredoc(word) !== undefined;
}

/**
 * A source as a path or pattern below the context's root: no leading slash, no `.`; empty for the
 * root itself. What leads out of the root is taken from the root, as Docker does.
 *
 * @throws {Fault} where it is a malformed pattern.
 */
export function sourcePattern(written: string, instruction: Instruction, file: Source): string {
  const parts: string[] = [];
  for (const part of written.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  const pattern = parts.join("/");
  if (pattern.length > LONGEST_PATH) {
    throw faultAt(file, instruction, `A source has ${pattern.length} characters`, {
      next: `write a path of at most ${LONGEST_PATH}`,
    });
  }
  try {
    goMatcher(pattern);
  } catch (error) {
    throw faultAt(file, instruction, `Cannot read the pattern "${written}"`, {
      word: written,
      next: "correct it; escape a literal [ as [[]",
      cause: error,
    });
  }
  return pattern;
}

/** A source of COPY --parents, of which the path below a folder is kept. */
export interface ParentsSource {
  /** Pattern of the folders that the kept path is below; empty for the context's root. */
  readonly start: string;
  /** What is taken there, as a line of an ignore file. */
  readonly pattern: string;
}

/**
 * Parts a source of COPY --parents at its pivot, `/./`.
 *
 * @throws {Fault} where it is a malformed pattern.
 */
export function parentsSource(
  written: string,
  instruction: Instruction,
  file: Source,
): ParentsSource {
  const pivot = written.indexOf("/./");
  const start = sourcePattern(pivot < 0 ? "" : written.slice(0, pivot), instruction, file);
  const rest = pivot < 0 ? written : written.slice(pivot + 3);
  // An exclamation mark in front is a name's own here.
  return { start, pattern: sourcePattern(rest, instruction, file).replace(/^!/, "\\!") };
}

/**
 * The patterns of --exclude, cleaned; they are relative to each source.
 *
 * @throws {Fault} where one is malformed.
 */
export function excludePatterns(instruction: Instruction, file: Source): readonly string[] {
  return (instruction.options["exclude"] ?? []).flatMap((written) => {
    const trimmed = written.trim().replace(/^\/+/, "");
    if (trimmed === "") return [];
    const pattern = trimmed.startsWith("!") ? trimmed : cleanPattern(trimmed);
    try {
      new IgnorePatterns([pattern]);
    } catch (error) {
      const why = (error as Error).message;
      throw faultAt(file, instruction, `Cannot read what --exclude names: ${why}`, {
        word: written,
        next: "correct the pattern; escape a literal [ as [[]",
        cause: error,
      });
    }
    return [pattern];
  });
}
