/** JSON objects as Go's `encoding/json` reads them into a struct. */

import { Fault } from "../../lib/model/errors.ts";

/**
 * One object: keys match in any case and the last one counts. Null takes a list or an object away
 * that another spelling of the key gave, and leaves all else as it is.
 */
export class Fields {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #lists: ReadonlyMap<string, unknown>;
  readonly #where: string;
  readonly #place: string;

  private constructor(value: object, where: string, place: string) {
    const entries = Object.entries(value).map(([key, value]) => [folded(key), value] as const);
    this.#values = new Map(entries.filter(([, value]) => value !== null));
    this.#lists = new Map(entries);
    this.#where = where;
    this.#place = place;
  }

  /** Reads a text that must be one object. */
  static parse(text: string, where: string): Fields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw malformed(`It is no JSON: ${detail}`, where, cause);
    }
    if (!isObject(value)) throw malformed("It is no JSON object", where);
    return new Fields(value, where, "");
  }

  /** Whether there is such a key, with another value than null. */
  has(name: string): boolean {
    return this.#values.has(folded(name));
  }

  /** A text; empty where there is none. */
  string(name: string): string {
    return this.#text(this.#get(name), name);
  }

  /** A whole number. */
  integer(name: string, otherwise: number): number {
    const value = this.#get(name) ?? otherwise;
    if (!Number.isSafeInteger(value)) throw this.fault(name, "is no whole number");
    return value as number;
  }

  /** Yes or no; no where there is none. */
  boolean(name: string): boolean {
    const value = this.#get(name) ?? false;
    if (typeof value !== "boolean") throw this.fault(name, "is neither true nor false");
    return value;
  }

  /** An object; an empty one where there is none. */
  fields(name: string): Fields {
    const value = this.#get(name) ?? {};
    if (!isObject(value)) throw this.fault(name, "is no object");
    return new Fields(value, this.#where, `${this.#path(name)}.`);
  }

  /** A list of objects; empty where there is none. */
  list(name: string): Fields[] {
    return this.#array(name).map((value, at) => {
      if (!isObject(value)) throw this.fault(`${name}[${at}]`, "is no object");
      return new Fields(value, this.#where, `${this.#path(name)}[${at}].`);
    });
  }

  /** A list of texts. */
  strings(name: string): string[] {
    return this.#array(name).map((value, at) => this.#text(value, `${name}[${at}]`));
  }

  /** An object whose values are texts. Its keys keep their case. */
  map(name: string): Record<string, string> {
    return Object.fromEntries(
      this.#entries(name).map(([key, value]) => [key, this.#text(value, `${name}.${key}`)]),
    );
  }

  /** An object whose keys alone matter, as in `{ "8080/tcp": {} }`. */
  set(name: string): Record<string, Record<string, never>> {
    return Object.fromEntries(this.#entries(name).map(([key]) => [key, {}]));
  }

  /** The error that names a field of this object. */
  fault(name: string, message: string): Fault {
    return malformed(`"${this.#path(name)}" ${message}`, this.#where);
  }

  /** Null is empty, and what is no Unicode is U+FFFD. */
  #text(value: unknown, place: string): string {
    const text = value ?? "";
    if (typeof text !== "string") throw this.fault(place, "is no string");
    return text.toWellFormed();
  }

  #get(name: string): unknown {
    return this.#values.get(folded(name));
  }

  #array(name: string): unknown[] {
    const value = this.#lists.get(folded(name)) ?? [];
    if (!Array.isArray(value)) throw this.fault(name, "is no list");
    return value;
  }

  #entries(name: string): [string, unknown][] {
    const value = this.#lists.get(folded(name)) ?? {};
    if (!isObject(value)) throw this.fault(name, "is no object");
    return Object.entries(value);
  }

  #path(name: string): string {
    return this.#place + name;
  }
}

/** Go folds the long s too. */
function folded(key: string): string {
  return key.toLowerCase().replaceAll("\u017f", "s");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(message: string, where: string, cause?: unknown): Fault {
  return new Fault(message, {
    where,
    next: "build it with nix2container, and name its image.json",
    ...(cause === undefined ? {} : { cause }),
  });
}
