/** The variables that a stage's instructions see: the base's environment, ARG and ENV. */

import { type ExpandOptions, expandWord, expandWords, ExpansionError } from "../syntax/expand.ts";
import { faultAt, shortened, type Source } from "../syntax/place.ts";
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

/** So many scopes are searched one after the other before their variables are joined. */
const MOST_PARENTS = 64;

/** Characters that all values of one Dockerfile may have together. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

/** Counts what the scopes of a Dockerfile hold together. */
export class ExpansionBudget {
  #left = MOST_CHARACTERS;

  /** @throws {ExpansionError} where there is no more. */
  take(text: string): string {
    this.#left -= text.length;
    if (this.#left >= 0) return text;
    throw new ExpansionError(`All values together have more than ${MOST_CHARACTERS} characters`);
  }
}

/** One stage's variables, changed by each instruction in turn. */
export class Scope {
  readonly #source: Source;
  readonly #escape: string;
  readonly #variables = new Map<string, string | typeof UNKNOWN>();
  readonly #budget: ExpansionBudget;
  /** The base's environment is not known yet: a variable that is not set may be set there. */
  #open: boolean;
  /** A scope that no longer changes. */
  #parent: Scope | undefined;
  #parents = 0;

  constructor(
    source: Source,
    escape: string,
    base: { readonly open: boolean },
    budget: ExpansionBudget = new ExpansionBudget(),
  ) {
    this.#source = source;
    this.#escape = escape;
    this.#open = base.open;
    this.#budget = budget;
  }

  /** A scope that begins with what this one holds, which is not changed any more. */
  inherit(): Scope {
    const scope = new Scope(this.#source, this.#escape, { open: this.#open }, this.#budget);
    if (this.#parents < MOST_PARENTS) {
      scope.#parent = this;
      scope.#parents = this.#parents + 1;
      return scope;
    }
    for (const variables of this.#allVariables()) {
      for (const [name, value] of variables) {
        if (!scope.#variables.has(name)) scope.#variables.set(name, value);
      }
    }
    return scope;
  }

  /** Its own, then those of the scopes that it began with. */
  *#allVariables(): Iterable<ReadonlyMap<string, string | typeof UNKNOWN>> {
    yield this.#variables;
    for (let at = this.#parent; at !== undefined; at = at.#parent) yield at.#variables;
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
      (lookup) => this.#budget.take(expandWord(word, lookup, { escape: this.#escape, ...options })),
    );
  }

  /** As {@link expand}, split at spaces after the expansion. */
  expandAll(words: readonly string[], instruction: Instruction): string[] {
    return words.flatMap((word) =>
      this.#guard(
        instruction,
        word,
        (lookup) =>
          expandWords(word, lookup, { escape: this.#escape }).map((each) =>
            this.#budget.take(each)
          ),
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
    let value: string | typeof UNKNOWN | undefined;
    for (const variables of this.#allVariables()) {
      value = variables.get(name);
      if (value !== undefined) break;
    }
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
      throw faultAt(
        this.#source,
        instruction,
        `Cannot expand ${shortened(word)}: ${error.message}`,
        {
          word,
          next: "correct the expression, or give the argument a value",
        },
      );
    }
  }
}
