/** From arguments to options and operands, by the options that are declared. */

import { parseArgs } from "node:util";
import type { ArgumentDefinition, OptionDefinition } from "./definition.ts";
import { nearest, UnknownOptionError, ValidationError } from "./errors.ts";
import type { Type } from "./values.ts";

/** A command line, taken apart. */
export interface ParsedLine {
  readonly options: Record<string, unknown>;
  readonly operands: readonly string[];
  /** What follows `--`. */
  readonly literal: readonly string[];
}

// deno-lint-ignore no-explicit-any
type Types = (name: string) => Type<any> | undefined;

/** Parses arguments. @throws {ValidationError} when they do not fit. */
export async function parseLine(
  args: readonly string[],
  definitions: readonly OptionDefinition[],
  types: Types,
): Promise<ParsedLine> {
  const byFlag = new Map(definitions.flatMap((each) => each.flags.map((flag) => [flag, each])));
  const { tokens } = parseArgs({
    args: [...args],
    options: configOf(definitions),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const options: Record<string, unknown> = {};
  const given = new Set<string>();
  const operands: string[] = [];
  const literal: string[] = [];
  let ended = false;
  for (const token of tokens) {
    if (token.kind === "option-terminator") ended = true;
    else if (token.kind === "positional") (ended ? literal : operands).push(token.value);
    else {
      const definition = byFlag.get(token.rawName);
      if (definition === undefined) throw await unknownOption(token.rawName, [...byFlag.keys()]);
      if (
        given.has(definition.name) && !definition.settings.collect && !definition.argument?.variadic
      ) {
        if (definition.argument !== undefined) {
          throw new ValidationError(
            `Option "--${definition.name}" can only occur once, but was found several times.`,
          );
        }
      }
      given.add(definition.name);
      set(options, definition, token.value, types);
    }
  }
  checkGiven(definitions, given);
  for (const { member, settings } of definitions) {
    if (settings.default !== undefined) options[member] ??= settings.default;
  }
  for (const { member, negates } of definitions) if (negates) options[member] ??= true;
  return { options, operands, literal };
}

function configOf(definitions: readonly OptionDefinition[]) {
  return Object.fromEntries(definitions.map(({ flags, name, argument }) => {
    const short = flags.find((flag) => /^-[^-]$/.test(flag))?.slice(1);
    const type: "string" | "boolean" = argument === undefined ? "boolean" : "string";
    return [name, { type, multiple: true, ...(short === undefined ? {} : { short }) }];
  }));
}

function set(
  options: Record<string, unknown>,
  { member, name, negates, argument, settings }: OptionDefinition,
  text: string | undefined,
  types: Types,
): void {
  let value: unknown = !negates;
  if (argument === undefined) {
    if (text !== undefined) {
      throw new ValidationError(`Option "--${name}" doesn't take a value, but got "${text}".`);
    }
  } else if (
    text === undefined || (text.length > 1 && text.startsWith("-") && Number.isNaN(Number(text)))
  ) {
    if (!argument.optional) throw new ValidationError(`Missing value for option "--${name}".`);
  } else {
    value = read(text, "Option", `--${name}`, argument, types);
  }
  const previous = options[member];
  if (settings.value !== undefined) options[member] = settings.value(value, previous);
  else if (settings.collect || argument?.variadic) {
    options[member] = [...(previous as unknown[] | undefined ?? []), value];
  } else options[member] = value;
}

function checkGiven(definitions: readonly OptionDefinition[], given: ReadonlySet<string>): void {
  for (const { name, settings } of definitions) {
    if (settings.required && !given.has(name)) {
      throw new ValidationError(`Missing required option "--${name}".`);
    }
    if (!given.has(name)) continue;
    const conflict = settings.conflicts?.find((other) => given.has(other));
    if (conflict !== undefined) {
      throw new ValidationError(`Option "--${name}" conflicts with option "--${conflict}".`);
    }
    const absent = settings.depends?.find((other) => !given.has(other));
    if (absent !== undefined) {
      throw new ValidationError(`Option "--${name}" depends on option "--${absent}".`);
    }
  }
}

/** Reads operands by the declared arguments. @throws {ValidationError} when they do not fit. */
export function readOperands(
  operands: readonly string[],
  definitions: readonly ArgumentDefinition[],
  types: Types,
): unknown[] {
  const rest = [...operands];
  const values: unknown[] = [];
  for (const argument of definitions) {
    const texts = argument.variadic ? rest.splice(0) : rest.splice(0, 1);
    if (texts.length === 0 && !argument.optional) {
      throw new ValidationError(`Missing argument: ${argument.name}`);
    }
    values.push(...texts.map((text) => read(text, "Argument", argument.name, argument, types)));
  }
  if (rest.length > 0) throw new ValidationError(`Too many arguments: ${rest.join(" ")}`);
  return values;
}

function read(
  text: string,
  label: string,
  name: string,
  argument: ArgumentDefinition,
  types: Types,
): unknown {
  const type = types(argument.type);
  if (type === undefined) throw new Error(`Unknown type "${argument.type}".`);
  return type.parse({ label, name, type: argument.type, value: text });
}

async function unknownOption(flag: string, known: readonly string[]): Promise<UnknownOptionError> {
  const near = await nearest(flag, known);
  const advice = near === undefined ? "" : ` Did you mean option "${near}"?`;
  return new UnknownOptionError(`Unknown option "${flag}".${advice}`);
}
