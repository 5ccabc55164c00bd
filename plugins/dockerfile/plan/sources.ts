/** What the sources of COPY and ADD name. */

import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import { parseHeredoc } from "../syntax/statements.ts";
import { goMatcher } from "./match.ts";

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
