/** Stand-in for `@std/yaml`, over the npm package yaml. */

import { parse as parseDocument, parseAllDocuments, stringify as stringifyValue } from "yaml";

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

/** Reads one document. @throws {SyntaxError} when it is no YAML. */
export function parse(content: string): unknown {
  return orSyntaxError(() => parseDocument(content, { version: "1.2" }) as unknown);
}

/** Reads all documents. @throws {SyntaxError} when one is no YAML. */
export function parseAll(content: string): unknown[] {
  return orSyntaxError(() =>
    [...parseAllDocuments(content)].map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as unknown;
    })
  );
}

/** Writes a value. @throws {TypeError} when it holds what YAML cannot say. */
export function stringify(data: unknown, options: StringifyOptions = {}): string {
  if (!options.skipInvalid) refuseInvalid(data);
  return stringifyValue(data, {
    indent: options.indent ?? 2,
    lineWidth: options.lineWidth ?? 80,
    sortMapEntries: options.sortKeys ?? false,
    singleQuote: true,
  });
}

function orSyntaxError<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new SyntaxError((cause as Error).message, { cause });
  }
}

function refuseInvalid(value: unknown): void {
  if (typeof value === "function" || typeof value === "symbol" || value === undefined) {
    throw new TypeError(`Cannot stringify ${typeof value}`);
  }
  if (typeof value === "object" && value !== null) Object.values(value).forEach(refuseInvalid);
}
