/** Stand-in for `@std/yaml`, over the npm package js-yaml, from which it descends. */

// @ts-types="@types/js-yaml"
import { DEFAULT_SCHEMA, dump, load, loadAll, Type } from "js-yaml";

/** Options of {@link stringify}. */
export interface StringifyOptions {
  /** Spaces of one level. @default 2 */
  readonly indent?: number;
  /** Longest line, in characters. @default 80 */
  readonly lineWidth?: number;
  /** Sorts keys, by a function where one is given. @default false */
  readonly sortKeys?: boolean | ((a: string, b: string) => number);
  /** Leaves out what YAML cannot say instead of throwing. @default false */
  readonly skipInvalid?: boolean;
}

/** The original knows integers of YAML 1.1: `0644` is octal, `0o644` a text. */
const INTEGER =
  /^[-+]?(?:0b[01_]*[01]|0x[\dA-Fa-f_]*[\dA-Fa-f]|0[0-7_]*[0-7]|0|[1-9]|[1-9][\d_]*\d)$/;

const SCHEMA = DEFAULT_SCHEMA.extend({
  implicit: [
    new Type("tag:yaml.org,2002:int", {
      kind: "scalar",
      resolve: (text: unknown) => typeof text === "string" && INTEGER.test(text),
      construct: integerOf,
      predicate: (value) => Number.isInteger(value) && !Object.is(value, -0),
      represent: (value) => String(value),
    }),
  ],
});

function integerOf(text: string): number {
  const digits = text.replaceAll("_", "").replace(/^[-+]/, "");
  const octal = /^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits;
  return Number(octal) * (text.startsWith("-") ? -1 : 1);
}

/** Reads one document; an empty one is null. @throws {SyntaxError} when it is no YAML. */
export function parse(content: string): unknown {
  return asSyntaxError(() => load(content, { schema: SCHEMA }) ?? null);
}

/** Reads all documents. @throws {SyntaxError} when one is no YAML. */
export function parseAll(content: string): unknown {
  return asSyntaxError(() =>
    loadAll(content, undefined, { schema: SCHEMA }).map((document) => document ?? null)
  );
}

/** Writes a value. @throws {TypeError} when it holds what YAML cannot say. */
export function stringify(data: unknown, options: StringifyOptions = {}): string {
  if (!options.skipInvalid) refuseInvalid(data);
  return dump(data, { ...options, schema: SCHEMA });
}

/** js-yaml leaves out what is undefined without a word. */
function refuseInvalid(value: unknown): void {
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`Cannot stringify ${typeof value}`);
  }
  if (typeof value === "object" && value !== null) Object.values(value).forEach(refuseInvalid);
}

function asSyntaxError<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new SyntaxError((cause as Error).message, { cause });
  }
}
