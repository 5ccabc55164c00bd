/** What the sources of COPY and ADD name. */

import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import { parseHeredoc } from "../syntax/statements.ts";
import { goMatcher } from "./match.ts";

/** Says whether ADD would fetch this source: a URL, or a git repository. */
export function isRemote(source: string): boolean {
  return /^(?:https?|git|ssh):\/\/|^git@/.test(source);
}

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
 * root itself. It is checked to be well-formed.
 *
 * @throws {Fault} where it leads out of the context, or is a malformed pattern.
 */
export function sourcePattern(written: string, instruction: Instruction, file: Source): string {
  const parts: string[] = [];
  for (const part of written.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined && !written.startsWith("/")) {
      throw faultAt(file, instruction, `The source "${written}" is outside the build context`, {
        word: written,
        next: "move it into the context, widen the context, or name its folder in contexts",
      });
    }
  }
  const pattern = parts.join("/");
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
