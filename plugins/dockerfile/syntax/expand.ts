/**
 * Docker's quoting and variable expansion.
 *
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 */

import { removePrefix, removeSuffix, replacePattern } from "./pattern.ts";

/** What an expansion cannot do; the caller adds the place. */
export class ExpansionError extends Error {
  override readonly name = "ExpansionError";
}

/** Looks a variable up; undefined where it is not set. */
export type Lookup = (name: string) => string | undefined;

/** How an expansion deviates from that of an ordinary instruction. */
export interface ExpandOptions {
  /** The escape character. @default "\\" */
  readonly escape?: string;
  /** Leaves quotes alone, as in the body of a here-document. @default false */
  readonly plainQuotes?: boolean;
  /** Keeps the quote characters in the result. @default false */
  readonly keepQuotes?: boolean;
  /** Keeps the escape characters in the result. @default false */
  readonly keepEscapes?: boolean;
}

/**
 * Expands one word: variables are replaced, quotes and escapes removed, spaces kept.
 *
 * @throws {ExpansionError} for bad syntax and for `${x:?message}`.
 */
export function expandWord(text: string, lookup: Lookup, options: ExpandOptions = {}): string {
  return new Expander(text, lookup, options).run().text;
}

/**
 * Expands a text and splits it at spaces that are not quoted, after the expansion.
 *
 * @throws {ExpansionError} as {@link expandWord}.
 */
export function expandWords(text: string, lookup: Lookup, options: ExpandOptions = {}): string[] {
  return new Expander(text, lookup, options).run().words;
}

interface Expanded {
  readonly text: string;
  readonly words: string[];
}

class Words {
  readonly list: string[] = [];
  #current: string | undefined;

  /** Adds characters at whose spaces words end. */
  split(text: string): void {
    for (const char of text) {
      if (!/\s/.test(char)) this.raw(char);
      else if (this.#current) this.end();
    }
  }

  raw(text: string): void {
    this.#current = (this.#current ?? "") + text;
  }

  end(): void {
    if (this.#current) this.list.push(this.#current);
    this.#current = undefined;
  }
}

/** Characters that an expansion may add to a text, and expressions that may be nested. */
const MOST_GROWTH = 1024 * 1024;
const MOST_NESTED = 100;

class Expander {
  readonly #chars: string[];
  readonly #lookup: Lookup;
  readonly #options: ExpandOptions;
  readonly #escape: string;
  readonly #longest: number;
  #at = 0;
  #depth = 0;

  constructor(text: string, lookup: Lookup, options: ExpandOptions) {
    this.#chars = [...text];
    this.#longest = text.length + MOST_GROWTH;
    this.#lookup = lookup;
    this.#options = options;
    this.#escape = options.escape ?? "\\";
  }

  run(): Expanded {
    return this.#until(undefined, this.#options.keepEscapes ?? false);
  }

  /** Variables that double each other would fill the memory within some forty lines. */
  #checkLength(text: string): void {
    if (text.length <= this.#longest) return;
    throw new ExpansionError(`The value would have more than ${this.#longest} characters`);
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #next(): string | undefined {
    return this.#chars[this.#at++];
  }

  #until(stop: string | undefined, keepEscapes: boolean): Expanded {
    const words = new Words();
    let text = "";
    for (let char = this.#peek(); char !== undefined; char = this.#peek()) {
      if (char === stop) {
        this.#at++;
        words.end();
        return { text, words: words.list };
      }
      if (char === "$") {
        const value = this.#dollar();
        text += value;
        this.#checkLength(text);
        words.split(value);
      } else if ((char === "'" || char === '"') && !this.#options.plainQuotes) {
        const value = char === "'" ? this.#single() : this.#double(keepEscapes);
        text += value;
        this.#checkLength(text);
        words.raw(value);
      } else if (char === "<" && this.#chars[this.#at + 1] === "<") {
        // A here-document's mark may be set off from its name by spaces; they stay in one word.
        const value = /^<<[ \t\r]*/.exec(this.#chars.slice(this.#at, this.#at + 64).join(""))![0];
        this.#at += value.length;
        text += value;
        words.raw(value);
      } else if (char === this.#escape) {
        this.#at++;
        const escaped = this.#next();
        if (keepEscapes) {
          text += char;
          words.raw(char);
        }
        if (escaped === undefined) break;
        text += escaped;
        words.raw(escaped);
      } else {
        this.#at++;
        text += char;
        words.split(char);
      }
    }
    if (stop !== undefined) {
      throw new ExpansionError(
        stop === "}" ? "The closing } of a ${…} is missing" : "A / is missing in ${…}",
      );
    }
    words.end();
    return { text, words: words.list };
  }

  #single(): string {
    const start = this.#at++;
    const end = this.#chars.indexOf("'", this.#at);
    if (end < 0) throw new ExpansionError("The closing ' of a quoted text is missing");
    this.#at = end + 1;
    return this.#options.keepQuotes
      ? this.#chars.slice(start, end + 1).join("")
      : this.#chars.slice(start + 1, end).join("");
  }

  /** Inside double quotes only `"`, `$` and the escape character itself can be escaped. */
  #double(keepEscapes: boolean): string {
    const quote = this.#options.keepQuotes ? '"' : "";
    let text = quote;
    this.#at++;
    for (;;) {
      const char = this.#peek();
      if (char === undefined) {
        throw new ExpansionError('The closing " of a quoted text is missing');
      }
      if (char === "$") {
        text += this.#dollar();
        this.#checkLength(text);
        continue;
      }
      this.#at++;
      if (char === '"') return text + quote;
      if (char !== this.#escape) {
        text += char;
        continue;
      }
      const escaped = this.#peek();
      if (keepEscapes) text += char;
      if (escaped === undefined) continue;
      if (escaped === '"' || escaped === "$" || escaped === this.#escape) {
        this.#at++;
        text += escaped;
      } else if (!keepEscapes) text += char;
    }
  }

  #dollar(): string {
    this.#at++;
    if (this.#peek() !== "{") {
      const name = this.#name();
      return name === "" ? "$" : this.#lookup(name) ?? "";
    }
    this.#at++;
    const first = this.#peek();
    if (first === undefined) throw new ExpansionError("The closing } of a ${…} is missing");
    if (first === "{" || first === "}" || first === ":") {
      throw new ExpansionError("Bad substitution: ${ must be followed by a name");
    }
    const name = this.#name();
    const operator = this.#next();
    if (operator === "}") return this.#lookup(name) ?? "";
    if (++this.#depth > MOST_NESTED) {
      throw new ExpansionError(`More than ${MOST_NESTED} expressions are nested`);
    }
    const value = operator === "/" ? this.#replace(name) : this.#modify(name, operator);
    this.#depth--;
    return value;
  }

  #modify(name: string, first: string | undefined): string {
    const emptyIsUnset = first === ":";
    const operator = emptyIsUnset ? this.#next() : first;
    const shown = `${emptyIsUnset ? ":" : ""}${operator ?? ""}`;
    const isPattern = operator === "#" || operator === "%";
    if (
      operator === undefined || !"+-?#%".includes(operator) || (emptyIsUnset && isPattern)
    ) {
      throw new ExpansionError(
        operator === undefined
          ? "The closing } of a ${…} is missing"
          : `The modifier "${shown}" in \${${name}…} is not supported`,
      );
    }
    const { text: word } = this.#until("}", isPattern);
    const value = this.#lookup(name);
    const isSet = value !== undefined && !(emptyIsUnset && value === "");
    switch (operator) {
      case "-":
        return isSet ? value : word;
      case "+":
        return isSet ? word : "";
      case "?": {
        if (isSet) return value;
        const why = value === undefined
          ? "is not allowed to be unset"
          : "is not allowed to be empty";
        throw new ExpansionError(`${name}: ${word === "" ? why : word}`);
      }
      default: {
        const greedy = word.startsWith(operator);
        const pattern = greedy ? word.slice(1) : word;
        const cut = operator === "#" ? removePrefix : removeSuffix;
        return guarded(() => cut(value ?? "", pattern, greedy));
      }
    }
  }

  #replace(name: string): string {
    const all = this.#peek() === "/";
    if (all) this.#at++;
    const { text: pattern } = this.#until("/", true);
    const { text: replacement } = this.#until("}", true);
    const value = this.#lookup(name) ?? "";
    return guarded(() => replacePattern(value, pattern, replacement, all));
  }

  /** Letters, digits and `_`; a number of digits; or one of the shell's special parameters. */
  #name(): string {
    const rest = this.#chars.slice(this.#at, this.#at + 256).join("");
    const name = /^(?:\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest)?.[0] ?? "";
    this.#at += [...name].length;
    return name;
  }
}

function guarded<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new ExpansionError("The value would be too long");
    throw new ExpansionError(error instanceof Error ? error.message : String(error));
  }
}
