/** JSON whose bytes depend on nothing but its value. */

import type { Json } from "../model/json.ts";

/**
 * A value as canonical JSON: no white space, members sorted by UTF-16 code units, numbers and
 * strings as ECMAScript writes them.
 *
 * @see RFC 8785, JSON Canonicalization Scheme
 */
export function canonicalJson(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = value as { readonly [name: string]: Json };
  const names = Object.keys(members).filter((name) => members[name] !== undefined).sort();
  return `{${
    names.map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name]!)}`).join(",")
  }}`;
}

/** What Go's encoder escapes although JSON need not. */
const GO_ESCAPES: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/**
 * A value as Go's `encoding/json` writes it: compact, members in the order given, `<`, `>`, `&`,
 * U+2028 and U+2029 escaped. Members that are undefined are left out.
 */
export function goJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (found) => GO_ESCAPES[found]!);
  return new TextEncoder().encode(text);
}
