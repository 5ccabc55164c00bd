/** Values as TypeScript, formatted as `deno fmt` would have them. */

import type { OptionValue } from "./component.ts";

/** The width that `deno fmt` keeps to. */
export const WIDTH = 80;

/** A comment on one line, whatever a repository's text holds. */
export function comment(text: string): string {
  // deno-lint-ignore no-control-regex
  return `    // ${text.replace(/[\x00-\x1f\x7f\u2028\u2029]/g, " ").trim()}`;
}

/** An option on one line where it fits, else with a line for each of its members. */
export function member(name: string, value: OptionValue): string[] {
  const line = `${name}: ${literal(value)}`;
  if (typeof value === "string" || line.length + 7 <= WIDTH) return [line];
  const [open, close] = isList(value) ? ["[", "]"] : ["{", "}"];
  return [`${name}: ${open}`, ...literals(value).map((each) => `  ${each},`), close];
}

/** A call with its options, on one line where it fits. */
export function recipe(head: string, members: readonly (readonly string[])[]): string[] {
  if (members.length === 0) return [`${head}),`];
  const line = `${head}{ ${members.flat().join(", ")} }),`;
  if (members.every((lines) => lines.length === 1) && line.length <= WIDTH) return [line];
  return [
    `${head}{`,
    ...members.flatMap((lines) =>
      lines.map((each, index) => `      ${each}${index === lines.length - 1 ? "," : ""}`)
    ),
    "    }),",
  ];
}

/** A value on one line. */
export function literal(value: OptionValue): string {
  if (typeof value === "string") return quoted(value);
  const members = literals(value).join(", ");
  return isList(value) ? `[${members}]` : `{ ${members} }`;
}

function literals(value: Exclude<OptionValue, string>): string[] {
  if (isList(value)) return value.map(quoted);
  return Object.entries(value).map(([name, each]) =>
    `${key(name)}: ${typeof each === "string" ? quoted(each) : `{ image: ${quoted(each.image)} }`}`
  );
}

function isList(value: OptionValue): value is readonly string[] {
  return Array.isArray(value);
}

/** The name of a member. */
export function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

/** A text, in single quotes where that spares escapes. */
export function quoted(text: string): string {
  const double = JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll(
    "\u2029",
    "\\u2029",
  );
  return /^[^'\\\n\r\t]*$/.test(text) && text.includes('"') &&
      double.length === text.length + 2 + count(text)
    ? `'${text}'`
    : double;
}

function count(text: string): number {
  return text.split('"').length - 1;
}

/** A member whose text is too long for its line, with the text on the next one. */
export function hung(line: string): string[] {
  const indent = line.length - line.trimStart().length;
  const isText = line.endsWith('",') || line.endsWith("',");
  const colon = line.indexOf(": ", line[indent] === '"' ? line.indexOf('"', indent + 1) : indent);
  const quote = line[colon + 2];
  if (line.length <= WIDTH || !isText || colon < 0 || (quote !== '"' && quote !== "'")) {
    return [line];
  }
  return [line.slice(0, colon + 1), `${" ".repeat(indent + 2)}${line.slice(colon + 2)}`];
}
