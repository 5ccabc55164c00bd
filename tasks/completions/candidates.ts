/** What may stand in a place of a command line. */

import { Type } from "@cliffy/command";
import { loadProject } from "../../lib/dsl/load.ts";
import type { AnyCommand, Option } from "../cli/any_command.ts";
import { keepForResults } from "../print.ts";

/** A word that may stand there. */
export interface Candidate {
  readonly word: string;
  /** What it does, in a few words. */
  readonly description?: string;
}

/** The shell knows best: a path. No name in images.ts has a colon. */
export const FILES = ":files";

/** A command line up to its last word. */
interface Typed {
  readonly command: AnyCommand;
  /** Operands of the command so far. */
  readonly operands: readonly string[];
  /** The option whose value comes next. */
  readonly expecting?: Option;
  /** Only operands follow. */
  readonly literal: boolean;
  /** Where images are declared. */
  readonly file: string;
}

/** What may stand in the place of the last word. What cannot be found out completes nothing. */
export async function candidates(
  root: AnyCommand,
  words: readonly string[],
): Promise<readonly Candidate[] | typeof FILES> {
  const typed = read(root, words.slice(0, -1));
  const { command, expecting, literal } = typed;
  // Bash parts `--output=json` in three.
  const last = words.at(-1) === "=" ? "" : words.at(-1) ?? "";
  if (expecting !== undefined) return startingWith(last, await valuesOf(expecting, typed));
  if (literal || !last.startsWith("-")) return startingWith(last, await operandsFor(last, typed));
  const [flag = "", value] = last.split(/=(.*)/s);
  const options = command.getOptions();
  if (value === undefined) return startingWith(last, options.flatMap(flagsOf));
  const option = options.find(({ flags }) => flags.includes(flag));
  const values = option === undefined ? [] : await valuesOf(option, typed);
  if (values === FILES) return FILES;
  return startingWith(last, values.map(({ word }) => ({ word: `${flag}=${word}` })));
}

function startingWith(start: string, all: readonly Candidate[] | typeof FILES) {
  return all === FILES ? FILES : all.filter(({ word }) => word.startsWith(start));
}

/** Reads the words before the last one as the command line itself would. */
function read(root: AnyCommand, words: readonly string[]): Typed {
  let typed: Typed = { command: root, operands: [], literal: false, file: "images.ts" };
  for (const word of words) typed = readWord(typed, word);
  return typed;
}

function readWord(typed: Typed, word: string): Typed {
  const { expecting, ...rest } = typed;
  const { command, operands, literal } = rest;
  if (expecting !== undefined) {
    if (word === "=") return typed;
    return expecting.name === "file" ? { ...rest, file: word } : rest;
  }
  if (literal) return { ...rest, operands: [...operands, word] };
  if (word === "--") return { ...rest, literal: true };
  if (word.startsWith("-")) {
    const [flag = "", value] = word.split(/=(.*)/s);
    const option = command.getOptions().find(({ flags }) => flags.includes(flag));
    if (option === undefined || option.args.length === 0) return rest;
    return value === undefined ? { ...rest, expecting: option } : readWord(
      { ...rest, expecting: option },
      value,
    );
  }
  const below = operands.length === 0 ? command.getCommand(word) : undefined;
  if (below !== undefined) return { ...rest, command: below };
  return { ...rest, operands: [...operands, word] };
}

function flagsOf({ flags, description }: Option): Candidate[] {
  return flags.map((word) => ({ word, description }));
}

function valuesOf(
  { args: [argument] }: Option,
  typed: Typed,
): Promise<readonly Candidate[] | typeof FILES> {
  return ofType(argument?.type ?? "", "", typed);
}

/** Verbs where none is named yet, else what the verb takes. */
async function operandsFor(
  last: string,
  typed: Typed,
): Promise<readonly Candidate[] | typeof FILES> {
  const { command, operands } = typed;
  const verbs = command.getCommands();
  if (verbs.length > 0 && operands.length === 0) {
    return verbs.map((each) => ({ word: each.getName(), description: each.getDescription() }));
  }
  const declared = command.getArguments();
  const argument = declared[operands.length] ?? declared.findLast(({ variadic }) => variadic);
  return argument === undefined ? [] : await ofType(argument.type, last, typed);
}

async function ofType(
  type: string,
  last: string,
  { command, operands, file }: Typed,
): Promise<readonly Candidate[] | typeof FILES> {
  if (type === "file") return FILES;
  const handler = command.getType(type)?.handler;
  const values = handler instanceof Type
    ? await (handler.complete ?? handler.values)?.call(handler, command, command.getParent())
    : undefined;
  if (values !== undefined) return values.map((value) => ({ word: String(value) }));
  if (type !== "target" && type !== "registry") return [];
  try {
    keepForResults();
    const { images, tasks, groups, registries } = await loadProject(file);
    if (type === "registry") {
      return [...registries].map(([word, { host }]) => ({ word, description: host }));
    }
    const dots = last.startsWith("...") ? "..." : "";
    return [
      ...[...images.values()].map(({ name, plugin }) => [name, `image, ${plugin.name}`] as const),
      ...[...groups].map(([name, members]) => [name, `group of ${members.length}`] as const),
      ...[...tasks.keys()].map((name) => [name, "task"] as const),
    ].map(([name, description]) => ({ word: `${dots}${name}`, description }))
      .filter(({ word }) => !operands.includes(word));
  } catch {
    return [];
  }
}
