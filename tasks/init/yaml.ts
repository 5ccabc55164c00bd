/** Reading YAML files whose shape is not known. */

import { parseAll } from "@std/yaml";

/** A mapping of a YAML file. */
export type Mapping = Readonly<Record<string, unknown>>;

/** The first word of a sequence that stands for GitLab's tag `!reference`. */
export const REFERENCE = "!reference";

/** All documents of a file that are mappings; undefined where it is no YAML. */
export function yamlDocuments(text: string): readonly Mapping[] | undefined {
  try {
    const tagged = text.replace(/!reference[ \t]*\[/g, `["${REFERENCE}", `);
    const plain = tagged.replace(/: !(?:reset|override)\b/g, ": ");
    return (parseAll(plain) as unknown[]).filter((each) => isMapping(each)) as Mapping[];
  } catch {
    return undefined;
  }
}

/** Tells whether a value is a mapping. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A mapping, or an empty one in the place of anything else. */
export function mapping(value: unknown): Mapping {
  return isMapping(value) ? value : {};
}

/** A scalar as text; undefined for anything else. */
export function scalar(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** A list's scalars, or the one scalar. */
export function scalars(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((each) => scalar(each) ?? []);
}

/** A list, or a list of the one value there is. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** `NAME=value` for each member of a mapping, `NAME` where it is null; a list as it is. */
export function assignments(value: unknown): string[] {
  if (Array.isArray(value)) return scalars(value);
  return Object.entries(mapping(value)).flatMap(([name, each]) => {
    const text = scalar(each);
    return text !== undefined ? [`${name}=${text}`] : each === null ? [name] : [];
  });
}

/** Every text, however deep. */
export function* textsIn(value: unknown, depth = 30): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null && depth > 0) {
    for (const each of Object.values(value)) yield* textsIn(each, depth - 1);
  }
}

/** Lines that are not empty; quotes around one are removed. */
export function linesOf(text: string | undefined): string[] {
  return (text ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "")
    .map((line) =>
      line.length > 1 && line.startsWith('"') && line.endsWith('"')
        ? line.slice(1, -1).replaceAll('""', '"')
        : line
    );
}

/** Items of a list that is written with commas or in lines. */
export function itemsOf(text: string | undefined): string[] {
  return linesOf(text).flatMap((line) => line.split(",")).map((item) => item.trim())
    .filter((item) => item !== "");
}
