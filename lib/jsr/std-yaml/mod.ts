/** Stand-in for `@std/yaml`, over the npm package js-yaml, from which it descends. */

// @ts-types="@types/js-yaml"
import { dump, load, loadAll } from "js-yaml";

/** Options of {@link stringify}. */
export interface StringifyOptions {
  /** Spaces of one level. @default 2 */
  readonly indent?: number;
  /** Longest line, in characters. @default 80 */
  readonly lineWidth?: number;
  /** Sorts keys. @default false */
  readonly sortKeys?: boolean;
  /** Leaves out what YAML cannot say instead of throwing. @default false */
  readonly skipInvalid?: boolean;
}

/** Reads one document; an empty one is null. @throws {SyntaxError} when it is no YAML. */
export function parse(content: string): unknown {
  return asSyntaxError(() => load(content) ?? null);
}

/** Reads all documents. @throws {SyntaxError} when one is no YAML. */
export function parseAll(content: string): unknown {
  return asSyntaxError(() => loadAll(content).map((document) => document ?? null));
}

/** Writes a value. @throws {TypeError} when it holds what YAML cannot say. */
export function stringify(data: unknown, options: StringifyOptions = {}): string {
  if (!options.skipInvalid) refuseInvalid(data);
  return dump(data, options);
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
