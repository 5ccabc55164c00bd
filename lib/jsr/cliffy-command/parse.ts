/** From arguments to options and operands, by the options that are declared. */

import {
  type ArgumentDefinition,
  flagsOf,
  type OptionDefinition,
  type OptionSettings,
} from "./definition.ts";
import { didYouMean, ValidationError } from "./errors.ts";
import type { Type } from "./values.ts";

/** A command line while it is read: options before a command's name are read with those above. */
export interface Line {
  /** What is still to be read, or no option. */
  rest: string[];
  readonly options: Record<string, unknown>;
  /** Members that have their default. */
  readonly defaults: Set<string>;
  /** What follows `--`. */
  readonly literal: string[];
  /** The option that stands alone. */
  alone?: OptionDefinition;
}

// deno-lint-ignore no-explicit-any
type Types = (name: string) => Type<any> | undefined;

/**
 * Reads options, up to the first word that is none where `early` says so.
 *
 * @throws {ValidationError} when they do not fit.
 */
export async function readOptions(
  line: Line,
  definitions: readonly OptionDefinition[],
  types: Types,
  early: boolean,
): Promise<void> {
  const words = line.rest;
  const given = new Set<OptionDefinition>();
  line.rest = [];
  let isLiteral = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (isLiteral) line.literal.push(word);
    else if (word === "--") isLiteral = true;
    else if ((early && line.rest.length > 0) || !/^-./.test(word)) line.rest.push(word);
    else {
      words.splice(at, 1, ...apart(word));
      const { option, flag, text } = await optionOf(words[at]!, definitions);
      if (option === undefined) {
        if (!early) throw await unknownOption("Unknown", flag, definitions);
        line.rest.push(words[at]!);
        continue;
      }
      refuseTwice(line, option, flag);
      given.add(option);
      const value = text ?? words[at + 1];
      const taken = setOption(line, option, value, text !== undefined, types);
      if (taken && text === undefined) at += 1;
    }
  }
  finish(line, definitions, given);
}

/** `-qv` is `-q -v`, and `-j4` is `-j 4`. */
function apart(word: string): string[] {
  if (!/^-[^-]./.test(word)) return [word];
  const [letters = "", ...value] = word.slice(1).split("=");
  const end = value.length === 0 ? "" : `=${value.join("=")}`;
  const parts = /\d$/.test(word)
    ? [`-${letters[0]}`, ...letters.length > 1 ? [letters.slice(1)] : []]
    : [...letters].map((letter) => `-${letter}`);
  return [...parts.slice(0, -1), parts.at(-1)! + end];
}

async function optionOf(
  word: string,
  definitions: readonly OptionDefinition[],
): Promise<{ option?: OptionDefinition; flag: string; text?: string }> {
  if (/^--(?:.$|-)/.test(word)) throw await unknownOption("Invalid", word, definitions);
  const at = word.indexOf("=");
  const flag = at < 0 ? word : word.slice(0, at);
  const option = definitions.find(({ flags }) => flags.includes(flag));
  return {
    ...(option === undefined ? {} : { option }),
    flag,
    ...(at < 0 || at === word.length - 1 ? {} : { text: word.slice(at + 1) }),
  };
}

function refuseTwice(line: Line, { member, settings }: OptionDefinition, flag: string): void {
  if (line.options[member] === undefined || settings.collect || line.defaults.has(member)) return;
  throw new ValidationError(
    `Option "${flag.replace("--no-", "--")}" can only occur once, but was found several times.`,
  );
}

/** Sets an option; says whether it took the value. */
function setOption(
  line: Line,
  option: OptionDefinition,
  value: string | undefined,
  isAssigned: boolean,
  types: Types,
): boolean {
  const { name, member, negates, args: [argument], settings } = option;
  if (option.instead !== undefined) line.alone = option;
  if (argument === undefined && isAssigned) {
    throw new ValidationError(`Option "--${name}" doesn't take a value, but got "${value}".`);
  }
  const takes = argument !== undefined && mayTake(argument, value, isAssigned);
  if (argument !== undefined && !takes && !argument.optional) {
    throw new ValidationError(`Missing value for option "--${name}".`);
  }
  const read = takes ? readValue(value!, "Option", `--${name}`, argument, types) : !negates;
  line.options[member] = withEarlier(line, member, settings, read);
  line.defaults.delete(member);
  return takes;
}

/** What looks like an option is no value where there need not be one; a number may be. */
function mayTake(
  { optional, type }: ArgumentDefinition,
  value: string | undefined,
  isAssigned: boolean,
): boolean {
  if (value === undefined || value === "") return false;
  return !optional || isAssigned || !value.startsWith("-") ||
    (type === "number" && !Number.isNaN(Number(value)));
}

function withEarlier(
  { options, defaults }: Line,
  member: string,
  { collect }: OptionSettings,
  value: unknown,
): unknown {
  if (!collect) return value;
  const earlier = defaults.has(member) ? undefined : options[member];
  return [...earlier as unknown[] | undefined ?? [], value];
}

/** Fills in what was not given, and checks what belongs together. */
function finish(
  line: Line,
  definitions: readonly OptionDefinition[],
  given: ReadonlySet<OptionDefinition>,
): void {
  for (const { member, negates, settings } of definitions) {
    if (line.options[member] !== undefined) continue;
    const isPair = definitions.some((other) => other.member === member && !other.negates);
    const value = settings.default ?? (negates && !isPair ? true : undefined);
    if (value === undefined) continue;
    line.options[member] = value;
    line.defaults.add(member);
  }
  const { alone } = line;
  if (alone !== undefined) {
    if ([...given].every((option) => option === alone)) return;
    throw new ValidationError(`Option "--${alone.name}" cannot be combined with other options.`);
  }
  const missing = definitions.find(({ settings, member }) =>
    settings.required && !(member in line.options)
  );
  if (missing === undefined) return;
  throw new ValidationError(`Missing required option "--${missing.name}".`);
}

/** Reads operands by the declared arguments. @throws {ValidationError} when they do not fit. */
export function readOperands(
  { rest, alone }: Line,
  definitions: readonly ArgumentDefinition[],
  types: Types,
): unknown[] {
  if (rest.length === 0) {
    const required = definitions.filter(({ optional }) => !optional).map(({ name }) => name);
    if (required.length === 0 || alone !== undefined) return [];
    throw new ValidationError(`Missing argument(s): ${required.join(", ")}`);
  }
  const open = [...rest];
  const values: unknown[] = [];
  for (const argument of definitions) {
    const texts = argument.variadic ? open.splice(0) : open.splice(0, 1);
    if (texts.length === 0 && !argument.optional) {
      throw new ValidationError(`Missing argument: ${argument.name}`);
    }
    values.push(
      ...texts.map((text) => readValue(text, "Argument", argument.name, argument, types)),
    );
  }
  if (open.length > 0) throw new ValidationError(`Too many arguments: ${open.join(" ")}`);
  return values;
}

function readValue(
  value: string,
  label: string,
  name: string,
  { type }: ArgumentDefinition,
  types: Types,
): unknown {
  const reader = types(type);
  if (reader === undefined) throw new Error(`Unknown type "${type}".`);
  return reader.parse({ label, name, type, value });
}

async function unknownOption(
  word: "Unknown" | "Invalid",
  flag: string,
  definitions: readonly OptionDefinition[],
): Promise<ValidationError> {
  const advice = await didYouMean("option", flag, flagsOf(definitions));
  return new ValidationError(`${word} option "${flag}".${advice}`);
}
