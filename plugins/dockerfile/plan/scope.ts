/** The variables that a stage's instructions see: the base's environment, ARG and ENV. */

import { type ExpandOptions, expandWord, expandWords, ExpansionError } from "../syntax/expand.ts";
import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";

/** Build arguments: given ones by name, and those that only the first lines of the file set. */
export interface BuildArgs {
  /** Values given from outside; they win over defaults. */
  readonly given: ReadonlyMap<string, string>;
  /** What an ARG without a value takes: global ARGs and the predefined platform arguments. */
  readonly globals: ReadonlyMap<string, string>;
}

/** A value that hangs on the environment of a base image that has not been read. */
export class UnknownValue extends Error {
  override readonly name = "UnknownValue";
}

/** An ARG's evaluated name and value; undefined where it has none. */
export interface Argument {
  readonly name: string;
  readonly value: string | undefined;
}

const UNKNOWN = Symbol("unknown");

/** One stage's variables, changed by each instruction in turn. */
export class Scope {
  readonly #source: Source;
  readonly #escape: string;
  readonly #variables = new Map<string, string | typeof UNKNOWN>();
  /** The base's environment is not known yet: a variable that is not set may be set there. */
  #open: boolean;

  constructor(source: Source, escape: string, base: { readonly open: boolean }) {
    this.#source = source;
    this.#escape = escape;
    this.#open = base.open;
  }

  /** A scope that begins with what this one holds: that of a stage built on this one's. */
  inherit(): Scope {
    const scope = new Scope(this.#source, this.#escape, { open: this.#open });
    for (const [name, value] of this.#variables) scope.#variables.set(name, value);
    return scope;
  }

  /** Sets variables as an image's config lists them, `NAME=value`. */
  addEnvironment(environment: readonly string[]): void {
    for (const entry of environment) {
      const at = entry.indexOf("=");
      if (at > 0) this.#variables.set(entry.slice(0, at), entry.slice(at + 1));
    }
  }

  /**
   * Expands one word of an instruction.
   *
   * @throws {Fault} with the line for bad syntax and `${x:?…}`.
   * @throws {UnknownValue} where it hangs on a base that has not been read.
   */
  expand(word: string, instruction: Instruction, options: ExpandOptions = {}): string {
    return this.#guard(
      instruction,
      word,
      (lookup) => expandWord(word, lookup, { escape: this.#escape, ...options }),
    );
  }

  /** As {@link expand}, split at spaces after the expansion. */
  expandAll(words: readonly string[], instruction: Instruction): string[] {
    return words.flatMap((word) =>
      this.#guard(
        instruction,
        word,
        (lookup) => expandWords(word, lookup, { escape: this.#escape }),
      )
    );
  }

  /** Runs an ENV; gives the evaluated names and values. */
  setEnvironment(instruction: Instruction): { name: string; value: string | undefined }[] {
    // All are expanded before any is set: "ENV a=1 b=$a" takes the earlier value of a.
    const pairs = instruction.pairs.map((pair) => ({
      name: this.expand(pair.name, instruction),
      value: this.#attempt(() => this.expand(pair.value, instruction)),
    }));
    for (const { name, value } of pairs) this.#variables.set(name, value ?? UNKNOWN);
    return pairs;
  }

  /** Runs an ARG; gives the evaluated names and values. */
  declare(instruction: Instruction, args: BuildArgs): Argument[] {
    // All are expanded before any is set: in "ARG A=1 B=$A" B takes the earlier value of A.
    const declared = instruction.args.map((word) => {
      const at = word.indexOf("=");
      const name = this.expand(at < 0 ? word : word.slice(0, at), instruction);
      const value = args.given.get(name) ??
        (at < 0
          ? args.globals.get(name)
          : this.#attempt(() => this.expand(word.slice(at + 1), instruction)));
      return { name, value, isUnknown: at >= 0 && value === undefined };
    });
    for (const { name, value, isUnknown } of declared) {
      if (value !== undefined) this.#variables.set(name, value);
      else if (isUnknown) this.#variables.set(name, UNKNOWN);
    }
    return declared;
  }

  #lookup(name: string): string | undefined {
    const value = this.#variables.get(name);
    if (value === UNKNOWN || (value === undefined && this.#open)) throw new UnknownValue(name);
    return value;
  }

  #attempt(make: () => string): string | undefined {
    try {
      return make();
    } catch (error) {
      if (error instanceof UnknownValue) return undefined;
      throw error;
    }
  }

  #guard<T>(
    instruction: Instruction,
    word: string,
    make: (lookup: (name: string) => string | undefined) => T,
  ): T {
    try {
      return make((name) => this.#lookup(name));
    } catch (error) {
      if (!(error instanceof ExpansionError)) throw error;
      throw faultAt(this.#source, instruction, `Cannot expand ${word}: ${error.message}`, {
        word,
        next: "correct the expression, or give the argument a value",
      });
    }
  }
}
