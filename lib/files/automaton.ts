/** Patterns that are no list of components, followed in all their places at once. */

import { FOLDERS, holds, MANY, ONE, type Part, SLASH, STAR } from "./pattern_parts.ts";

/** What a state of an automaton does: it takes a character, or goes on to two others. */
type State =
  | { readonly kind: "character"; readonly code: number }
  | { readonly kind: "test"; readonly test: (code: number) => boolean }
  | { readonly kind: "fork"; first: number; second: number }
  | { readonly kind: "end" };

/**
 * A pattern as a nondeterministic automaton, whose states are entered each once a character.
 *
 * @see https://swtch.com/~rsc/regexp/regexp1.html
 */
export class Automaton {
  readonly #states: State[] = [];
  /** The character, counted over all paths, at which each state was entered last. */
  readonly #entered: Float64Array;
  #now = 0;

  constructor(parts: readonly Part[]) {
    this.#sequence(parts);
    this.#states.push({ kind: "end" });
    this.#entered = new Float64Array(this.#states.length);
  }

  /** Decides whether a path matches from a place on, to its end or to a slash. */
  matches(path: string, start: number, below: boolean): boolean {
    const last = this.#states.length - 1;
    let current: number[] = [];
    this.#now++;
    this.#enter(0, current);
    for (let at = start;;) {
      const code = path.codePointAt(at);
      const isEnd = code === undefined || (below && code === SLASH);
      if (isEnd && this.#entered[last] === this.#now) return true;
      if (code === undefined || current.length === 0) return false;
      const next: number[] = [];
      this.#now++;
      for (const index of current) {
        const state = this.#states[index]!;
        const goesOn = state.kind === "character"
          ? state.code === code
          : state.kind === "test" && state.test(code);
        if (goesOn) this.#enter(index + 1, next);
      }
      current = next;
      at += code > 0xffff ? 2 : 1;
    }
  }

  /** Enters a state, and those that it goes on to without a character. */
  #enter(index: number, into: number[]): void {
    const open = [index];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (this.#entered[at] === this.#now) continue;
      this.#entered[at] = this.#now;
      const state = this.#states[at]!;
      if (state.kind === "fork") open.push(state.second, state.first);
      else if (state.kind !== "end") into.push(at);
    }
  }

  #sequence(parts: readonly Part[]): void {
    for (const part of parts) this.#part(part);
  }

  #part(part: Part): void {
    if (typeof part === "string") {
      for (const char of part) {
        this.#states.push({ kind: "character", code: char.codePointAt(0)! });
      }
    } else if (part === ONE) this.#states.push({ kind: "test", test: isNoSlash });
    else if (part === STAR) this.#loop(() => this.#states.push({ kind: "test", test: isNoSlash }));
    else if (part === MANY) this.#loop(() => this.#states.push({ kind: "test", test: isAny }));
    else if (part === FOLDERS) this.#optional(() => this.#sequence([MANY, "/"]));
    else if ("ranges" in part) {
      this.#states.push({ kind: "test", test: (code) => holds(part, code) });
    } else {
      const once = () => this.#alternatives(part.alternatives);
      if (part.repeated && part.optional) this.#loop(once);
      else if (part.optional) this.#optional(once);
      else if (part.repeated) {
        const start = this.#states.length;
        once();
        this.#fork(start, this.#states.length + 1);
      } else once();
    }
  }

  #fork(first: number, second: number): { first: number; second: number } {
    const state = { kind: "fork" as const, first, second };
    this.#states.push(state);
    return state;
  }

  #optional(inner: () => void): void {
    const fork = this.#fork(this.#states.length + 1, 0);
    inner();
    fork.second = this.#states.length;
  }

  #loop(inner: () => void): void {
    const start = this.#states.length;
    const fork = this.#fork(start + 1, 0);
    inner();
    this.#fork(start, start);
    fork.second = this.#states.length;
  }

  #alternatives(all: readonly (readonly Part[])[]): void {
    const exits: { first: number; second: number }[] = [];
    for (const [at, parts] of all.entries()) {
      const isLast = at === all.length - 1;
      const fork = isLast ? undefined : this.#fork(this.#states.length + 1, 0);
      this.#sequence(parts);
      if (fork === undefined) continue;
      exits.push(this.#fork(0, 0));
      fork.second = this.#states.length;
    }
    for (const exit of exits) exit.first = exit.second = this.#states.length;
  }
}

function isAny(): boolean {
  return true;
}

function isNoSlash(code: number): boolean {
  return code !== SLASH;
}
