/** A parsed Dockerfile: global arguments and stages of checked instructions. */

import { faultAt, type Source } from "./place.ts";
import { readStatements, type Statement } from "./statements.ts";
import { closest } from "./suggest.ts";
import { jsonArray, leadingJsonArray, type Pair, splitPairs, splitWords } from "./words.ts";

/** One instruction, its form checked, its words not yet expanded. */
export interface Instruction extends Statement {
  /** Values of its flags by name; a boolean flag has `"true"` or `"false"`. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  /** Its arguments: words, strings of a JSON array, or the one text of a shell form. */
  readonly args: readonly string[];
  /** It was written as a JSON array. */
  readonly json: boolean;
  /** What stands behind its JSON array, without meaning here. */
  readonly behind?: string;
  /** Names and values of ENV, LABEL; of ARG, where a value is given. */
  readonly pairs: readonly Pair[];
}

/** What one FROM begins. */
export interface Stage {
  /** Counted from 0. */
  readonly index: number;
  /** In lower case. */
  readonly name?: string;
  readonly from: Instruction;
  readonly instructions: readonly Instruction[];
}

/** A whole Dockerfile. */
export interface Script {
  readonly source: Source;
  readonly escape: string;
  readonly syntax?: string;
  /** ARGs in front of the first FROM. */
  readonly globals: readonly Instruction[];
  readonly stages: readonly Stage[];
}

type FlagType = "text" | "texts" | "switch";
type Form = "words" | "text" | "pairs" | "json-or-words" | "json-or-text" | "health";

interface Shape {
  readonly form: Form;
  readonly flags?: Readonly<Record<string, FlagType>>;
  /** Fewest and most arguments. */
  readonly least?: number;
  readonly most?: number;
}

const COPYING: Record<string, FlagType> = {
  chown: "text",
  chmod: "text",
  link: "switch",
  exclude: "texts",
};

const SHAPES: Readonly<Record<string, Shape>> = {
  ADD: {
    form: "json-or-words",
    least: 2,
    flags: { ...COPYING, checksum: "text", "keep-git-dir": "switch", unpack: "switch" },
  },
  ARG: { form: "words", least: 1 },
  CMD: { form: "json-or-text" },
  COPY: {
    form: "json-or-words",
    least: 2,
    flags: { ...COPYING, from: "text", parents: "switch" },
  },
  ENTRYPOINT: { form: "json-or-text" },
  ENV: { form: "pairs", least: 1 },
  EXPOSE: { form: "words", least: 1 },
  FROM: { form: "words", least: 1, most: 3, flags: { platform: "text" } },
  HEALTHCHECK: {
    form: "health",
    least: 1,
    flags: {
      interval: "text",
      timeout: "text",
      "start-period": "text",
      "start-interval": "text",
      retries: "text",
    },
  },
  LABEL: { form: "pairs", least: 1 },
  MAINTAINER: { form: "text", least: 1 },
  ONBUILD: { form: "text", least: 1 },
  RUN: {
    form: "json-or-text",
    flags: { mount: "texts", network: "text", security: "text", device: "texts" },
  },
  SHELL: { form: "json-or-text", least: 1 },
  STOPSIGNAL: { form: "text", least: 1 },
  USER: { form: "text", least: 1 },
  VOLUME: { form: "json-or-words", least: 1 },
  WORKDIR: { form: "text", least: 1 },
};

/**
 * Parses a Dockerfile.
 *
 * @param file the path shown in faults.
 * @throws {Fault} with the line, for whatever Docker refuses to parse.
 */
export function parseScript(text: string, file: string): Script {
  const { source, escape, syntax, statements } = readStatements(text, file);
  const globals: Instruction[] = [];
  const stages: Stage[] = [];
  let current: Instruction[] | undefined;
  for (const statement of statements) {
    const instruction = checkStatement(statement, source, escape);
    if (instruction.keyword === "FROM") {
      current = [];
      stages.push(openStage(instruction, stages.length, current, source));
    } else if (current !== undefined) current.push(instruction);
    else if (instruction.keyword === "ARG") globals.push(instruction);
    else {
      throw faultAt(source, instruction, `${instruction.keyword} stands before the first FROM`, {
        next: "begin with FROM; only ARG may come before it",
      });
    }
  }
  if (stages.length === 0) {
    throw faultAt(source, { line: 1, endLine: 1 }, "There is no FROM", {
      next: 'begin with "FROM scratch" or a base image',
    });
  }
  return { source, escape, ...(syntax === undefined ? {} : { syntax }), globals, stages };
}

/**
 * Checks one statement's form.
 *
 * @throws {Fault} for an unknown instruction or flag, or a wrong number of arguments.
 */
export function checkStatement(statement: Statement, source: Source, escape: string): Instruction {
  const { keyword, rest } = statement;
  const shape = Object.hasOwn(SHAPES, keyword) ? SHAPES[keyword] : undefined;
  if (shape === undefined) {
    throw faultAt(source, statement, `Unknown instruction ${keyword}`, {
      next: suggestion(keyword, Object.keys(SHAPES)) ?? "remove the line or correct the word",
    });
  }
  const options = readOptions(statement, shape.flags ?? {}, source);
  try {
    const { args, json, pairs, behind } = readArguments(keyword, shape.form, rest, escape);
    const count = shape.form === "pairs" ? pairs.length : args.length;
    const { least = 0, most = Infinity } = shape;
    if (count < least || count > most) {
      const wanted = most === least ? `exactly ${least}` : `at least ${least}`;
      throw new Error(`${keyword} needs ${wanted} ${least === 1 ? "argument" : "arguments"}`);
    }
    return {
      ...statement,
      options,
      args,
      json,
      pairs,
      ...(behind === undefined ? {} : { behind }),
    };
  } catch (error) {
    throw faultAt(source, statement, `Cannot read ${keyword}: ${(error as Error).message}`, {
      next: "see https://docs.docker.com/reference/dockerfile/ for its forms",
    });
  }
}

function readArguments(
  keyword: string,
  form: Form,
  rest: string,
  escape: string,
): { args: string[]; json: boolean; pairs: Pair[]; behind?: string } {
  switch (form) {
    case "pairs":
      return { args: [], json: false, pairs: splitPairs(rest, escape) };
    case "text":
      return { args: rest === "" ? [] : [rest], json: false, pairs: [] };
    case "words": {
      const args = keyword === "ARG" ? splitWords(rest, escape) : split(rest);
      if (keyword === "ARG" && args.some((word) => word.startsWith("="))) {
        throw new Error("an argument has no name");
      }
      return { args, json: false, pairs: [] };
    }
    case "health": {
      const [, type = "", command = ""] = /^(\S*)\s*([^]*)$/.exec(rest)!;
      const strings = jsonArray(command);
      const args = strings ?? (command === "" ? [] : [command]);
      return {
        args: type === "" ? [] : [type.toUpperCase(), ...args],
        json: strings !== undefined,
        pairs: [],
      };
    }
    default: {
      const strings = jsonArray(rest);
      if (strings !== undefined) return { args: strings, json: true, pairs: [] };
      const leading = leadingJsonArray(rest);
      // A shell's test such as "[ "a" ] && b" is what RUN means.
      if (leading !== undefined && keyword !== "RUN") {
        return { args: leading.strings, json: true, pairs: [], behind: leading.behind };
      }
      if (keyword === "SHELL") throw new Error("it must be a JSON array");
      const args = form === "json-or-words" ? split(rest) : rest === "" ? [] : [rest];
      return { args, json: false, pairs: [] };
    }
  }
}

function split(rest: string): string[] {
  return rest === "" ? [] : rest.split(/[\t\v\f\r ]+/);
}

function readOptions(
  statement: Statement,
  known: Readonly<Record<string, FlagType>>,
  source: Source,
): Record<string, string[]> {
  const options: Record<string, string[]> = {};
  for (const flag of statement.flags) {
    const [, name = "", assigned, value = ""] = /^--([^=]*)(=([^]*))?$/.exec(flag)!;
    const fail = (message: string, next: string) =>
      faultAt(source, statement, message, { word: `--${name}`, next });
    const type = Object.hasOwn(known, name) ? known[name] : undefined;
    if (type === undefined) {
      throw fail(
        `${statement.keyword} has no flag --${name}`,
        suggestion(name, Object.keys(known), "--") ?? "remove the flag",
      );
    }
    if (options[name] !== undefined && type !== "texts") {
      throw fail(`The flag --${name} is given twice`, "remove one of the two");
    }
    if (type === "switch") {
      const on = assigned === undefined ? "true" : value.toLowerCase();
      if (on !== "true" && on !== "false") {
        throw fail(`The flag --${name} cannot be "${value}"`, `write --${name} or --${name}=false`);
      }
      options[name] = [on];
    } else if (assigned === undefined) {
      throw fail(`The flag --${name} has no value`, `write --${name}=…`);
    } else (options[name] ??= []).push(value);
  }
  return options;
}

function openStage(
  from: Instruction,
  index: number,
  instructions: Instruction[],
  source: Source,
): Stage {
  const [, as, name] = from.args;
  if (from.args.length === 1) return { index, from, instructions };
  if (from.args.length !== 3 || as?.toLowerCase() !== "as") {
    throw faultAt(source, from, "Cannot read FROM: it needs one argument, or three with AS", {
      next: 'write "FROM image AS name"',
    });
  }
  const lower = name!.toLowerCase();
  if (!/^[a-z][a-z0-9\-_.]*$/.test(lower)) {
    throw faultAt(source, from, `"${name}" cannot name a stage`, {
      word: name!,
      next: "begin the name with a letter, and use letters, digits, '-', '_' and '.'",
    });
  }
  return { index, name: lower, from, instructions };
}

function suggestion(word: string, known: readonly string[], mark = ""): string | undefined {
  const near = closest(word, known);
  return near === undefined ? undefined : `write ${mark}${near} if that was meant`;
}
