/** Some fields of a JSON file. */

import type { JsonProjection } from "../../model/projection.ts";
import { memberOf, NotUnderstood, type Part, tableOf } from "./part.ts";

/** The fields that count, each with its value's text; their order within a value counts too. */
export function jsonFields(text: string, { fields }: JsonProjection): readonly Part[] {
  const document = tableOf(parseJson(text), "the document");
  return [...new Set(fields)].map((name) => ({
    type: "field",
    name,
    value: JSON.stringify(memberOf(document, name) ?? null),
  }));
}

/** Reads JSON. @throws {NotUnderstood} where a number is more than JavaScript can tell apart. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, function (_key, value, ...[context]: { source?: string }[]) {
    const source = context?.source;
    if (typeof value === "number" && source !== undefined && source !== String(value)) {
      throw new NotUnderstood(`it has the number ${source}`);
    }
    return value;
  });
}
