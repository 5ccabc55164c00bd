/** Bake files in HCL or JSON: blocks by name, and templates such as `${REGISTRY}/web`. */

import { unknown } from "./partial.ts";
import { isMapping, type Mapping, mapping } from "./yaml.ts";

/** The value of a name, dotted where it is of an object. */
export type TemplateLookup = (name: string) => string | undefined;

/** Reads a bake file. @throws {Error} where it cannot be parsed. */
export async function parseBakeFile(path: string, text: string): Promise<Mapping> {
  if (path.endsWith(".json")) return mapping(JSON.parse(text));
  const { parse } = await import("./hcl2json.ts");
  return mapping(await parse(path, text));
}

/** Blocks of one kind by name: a block in HCL is a list of its parts, in JSON it is itself. */
export function blocksOf(document: Mapping, kind: string): Map<string, Mapping> {
  return new Map(
    Object.entries(mapping(document[kind])).map(([name, value]) => {
      const parts = Array.isArray(value) ? value.filter(isMapping) : [mapping(value)];
      return [name, Object.assign({}, ...parts)];
    }),
  );
}

/** Puts values in the place of a template's names; what else it computes stays unknown. */
export function expandTemplate(text: string, lookup: TemplateLookup): string {
  let out = "";
  let at = 0;
  for (let start; (start = text.indexOf("${", at)) >= 0;) {
    if (start > at && text[start - 1] === "$") {
      out += text.slice(at, start - 1) + "${";
      at = start + 2;
      continue;
    }
    const end = endOfTemplate(text, start + 2);
    const expression = text.slice(start + 2, end).trim();
    out += text.slice(at, start) + (valueOf(expression, lookup) ?? unknown(expression));
    at = end + 1;
  }
  return out + text.slice(at);
}

function valueOf(expression: string, lookup: TemplateLookup): string | undefined {
  const literal = /^"([^"\\$]*)"$/.exec(expression)?.[1];
  if (literal !== undefined) return literal;
  return /^[A-Za-z_][\w.-]*$/.test(expression) ? lookup(expression) : undefined;
}

function endOfTemplate(text: string, start: number): number {
  let depth = 1;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return text.length;
}
