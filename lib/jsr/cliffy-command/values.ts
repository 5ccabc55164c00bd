/** Types of values: what a text means, and which texts there are. */

import type { Command } from "./command.ts";
import { ValidationError } from "./errors.ts";

/** What a type is asked to read. */
export interface ArgumentValue {
  /** `Option` or `Argument`. */
  readonly label: string;
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

type Word = string | number | boolean;

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any, any, any, any, any, any, any, any>;

/** A type of values. */
export abstract class Type<T> {
  /** Reads a text. @throws {ValidationError} when it is none. */
  abstract parse(type: ArgumentValue): T;

  /** Texts that help shows. */
  values?(cmd: AnyCommand, parent?: AnyCommand): Word[];

  /** Texts that may be completed, where others than help shows. */
  complete?(cmd: AnyCommand, parent?: AnyCommand): Word[];
}

/** What a type reads; something that is no type stays as it is. */
export type InferType<T> = T extends Type<infer V> ? V : T;

/** One of some words. */
export class EnumType<const T extends Word> extends Type<T> {
  readonly #words: readonly T[];

  constructor(words: readonly T[]) {
    super();
    this.#words = words;
  }

  /** Reads one of the words. */
  parse(type: ArgumentValue): T {
    const word = this.#words.find((each) => String(each) === type.value);
    if (word !== undefined) return word;
    throw unlike(type, this.#words);
  }

  /** The words. */
  override values(): T[] {
    return [...this.#words];
  }
}

/** Any text. */
export class StringType extends Type<string> {
  /** Reads it as it is. */
  parse({ value }: ArgumentValue): string {
    return value;
  }
}

/** A path; shells complete it. */
export class FileType extends StringType {}

class NumberType extends Type<number> {
  parse(type: ArgumentValue): number {
    const value = Number(type.value);
    if (Number.isFinite(value)) return value;
    throw unlike(type);
  }
}

class IntegerType extends Type<number> {
  parse(type: ArgumentValue): number {
    const value = Number(type.value);
    if (Number.isInteger(value)) return value;
    throw unlike(type);
  }
}

/** The types every command knows. */
// deno-lint-ignore no-explicit-any
export const BUILT_IN: ReadonlyMap<string, Type<any>> = new Map<string, Type<any>>([
  ["string", new StringType()],
  ["file", new FileType()],
  ["number", new NumberType()],
  ["integer", new IntegerType()],
]);

function unlike(
  { label, name, type, value }: ArgumentValue,
  words?: readonly Word[],
): ValidationError {
  const expected = words === undefined
    ? ""
    : ` Expected values: ${words.map((word) => `"${word}"`).join(", ")}`;
  return new ValidationError(
    `${label} "${name}" must be of type "${type}", but got "${value}".${expected}`,
  );
}
