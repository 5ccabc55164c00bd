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
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === "" ? "" : ","}${canonicalJson(item)}`;
    return `[${text}]`;
  }
  const members = value as { readonly [name: string]: Json };
  for (const name of Object.keys(members).sort()) {
    const member = members[name];
    if (member === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
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
 * U+2028 and U+2029 escaped, U+FFFD for what is no Unicode. Members that are undefined are left out.
 * A `Map` keeps its order where an object would put names such as `8080` first.
 */
export function goJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(render(value));
}

function render(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.toWellFormed())
      .replace(/[<>&\u2028\u2029]/g, (found) => GO_ESCAPES[found]!);
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(render).join(",")}]`;
  const members = value instanceof Map ? [...value] : Object.entries(value);
  const written = members.filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${render(name)}:${render(member)}`);
  return `{${written.join(",")}}`;
}

/** Members by name, in the order Go writes a map in: that of the names' UTF-8 bytes. */
export function goMap<V>(members: Readonly<Record<string, V>>): ReadonlyMap<string, V> {
  return new Map(Object.entries(members).sort(([a], [b]) => compareCodePoints(a, b)));
}

/** Orders texts by code points, as their UTF-8 bytes compare; UTF-16 differs at surrogates. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
