/** Types of values: what a text means, and which texts there are. */

import { ValidationError } from "./errors.ts";

/** What a type is asked to read. */
export interface ArgumentValue {
  /** `Option` or `Argument`. */
  readonly label: string;
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

/** A type of values. */
export abstract class Type<T> {
  /** Reads a text. @throws {ValidationError} when it is none. */
  abstract parse(type: ArgumentValue): T;

  /** Texts that may be completed. */
  values?(): readonly (string | number | boolean)[];
}

/** One of some words. */
export class EnumType<const T extends string | number | boolean> extends Type<T> {
  readonly #words: readonly T[];

  constructor(words: readonly T[]) {
    super();
    this.#words = words;
  }

  /** Reads one of the words. */
  parse({ label, name, value }: ArgumentValue): T {
    const word = this.#words.find((each) => String(each) === value);
    if (word !== undefined) return word;
    const known = this.#words.map((each) => `"${each}"`).join(", ");
    throw new ValidationError(`${label} "${name}" must be one of ${known}, but got "${value}".`);
  }

  /** The words. */
  override values(): readonly T[] {
    return this.#words;
  }
}

class NumberType extends Type<number> {
  parse({ label, name, value }: ArgumentValue): number {
    if (value.trim() !== "" && Number.isFinite(Number(value))) return Number(value);
    throw new ValidationError(`${label} "${name}" must be of type "number", but got "${value}".`);
  }
}

class IntegerType extends Type<number> {
  parse({ label, name, value }: ArgumentValue): number {
    if (/^-?\d+$/.test(value)) return Number(value);
    throw new ValidationError(`${label} "${name}" must be of type "integer", but got "${value}".`);
  }
}

class BooleanType extends Type<boolean> {
  parse({ label, name, value }: ArgumentValue): boolean {
    if (value === "true" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw new ValidationError(`${label} "${name}" must be of type "boolean", but got "${value}".`);
  }

  override values(): readonly boolean[] {
    return [true, false];
  }
}

class StringType extends Type<string> {
  parse({ value }: ArgumentValue): string {
    return value;
  }
}

/** The types every command knows. */
// deno-lint-ignore no-explicit-any
export const BUILT_IN: ReadonlyMap<string, Type<any>> = new Map<string, Type<any>>([
  ["string", new StringType()],
  ["file", new StringType()],
  ["secret", new StringType()],
  ["number", new NumberType()],
  ["integer", new IntegerType()],
  ["boolean", new BooleanType()],
]);
