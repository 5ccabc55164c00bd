/** Options against their shape: unknown ones, missing ones, values of another kind, paths that lead out. */

import type { Findings } from "./findings.ts";
import type { Origin } from "./origin.ts";
import { type Kind, kindIn, type Shape } from "./shape.ts";
import { adviceFor } from "./suggest.ts";

/** What errors call something; most of what is checked has none. */
export type Subject = () => string;

/** Checks what was written at an origin. */
export function checkOptions(
  findings: Findings,
  subject: Subject,
  origin: Origin,
  options: Readonly<Record<string, unknown>>,
  shape: Shape,
  keys: readonly string[] = [],
): void {
  for (const [name, value] of Object.entries(options)) {
    const kind = kindIn(shape, name);
    if (kind === undefined) {
      const next = adviceFor(name, Object.keys(shape), "an option");
      const pointer = { keys: [...keys, name] };
      findings.add(`${subject()} has no option "${name}"`, origin, pointer, next);
    } else if (value !== undefined) {
      checkValue(findings, subject, origin, name, value, kind, keys);
    }
  }
  for (const name of requiredIn(shape)) {
    if (options[name] !== undefined) continue;
    const next = `give ${shape[name]!.expects}`;
    findings.add(`${subject()} needs the option "${name}"`, origin, { keys }, next);
  }
}

const required = new WeakMap<Shape, readonly string[]>();

/** The options that must be given; found once for each shape, for there may be thousands of images. */
function requiredIn(shape: Shape): readonly string[] {
  const known = required.get(shape);
  if (known !== undefined) return known;
  const names = Object.keys(shape).filter((name) => shape[name]!.required);
  required.set(shape, names);
  return names;
}

function checkValue(
  findings: Findings,
  subject: Subject,
  origin: Origin,
  name: string,
  value: unknown,
  kind: Kind,
  above: readonly string[],
): void {
  if (!kind.accepts(value)) {
    const word = typeof value === "string" ? { word: value } : {};
    const next = kind.words !== undefined && typeof value === "string"
      ? adviceFor(value, kind.words, "a word")
      : `give ${kind.expects}`;
    const is = describe(value);
    findings.add(
      `Option "${name}" of ${lower(subject())} is ${is}, not ${kind.expects}`,
      origin,
      { keys: [...above, name], ...word },
      next,
    );
    return;
  }
  for (const { message, word, next } of kind.faults?.(value) ?? []) {
    const pointer = { keys: [...above, name], ...(word === undefined ? {} : { word }) };
    findings.add(`Option "${name}" of ${lower(subject())} ${message}`, origin, pointer, next);
  }
  for (const path of kind.paths?.(value) ?? []) {
    if (!leadsOut(path)) continue;
    findings.add(
      `Option "${name}" of ${lower(subject())} names "${path}", outside the folder of images.ts`,
      origin,
      { keys: [...above, name], word: path },
      "move images.ts further up, or copy the files below its folder with a task",
    );
  }
  if (kind.members === undefined) return;
  const parts = Array.isArray(value) ? value : [value];
  for (const part of parts as Record<string, unknown>[]) {
    const inner = () => `Option "${name}" of ${lower(subject())}`;
    checkOptions(findings, inner, origin, part, kind.members, [...above, name]);
  }
}

/** A path from the root, or one that climbs above where it starts. */
export function leadsOut(path: string): boolean {
  if (path.startsWith("/")) return true;
  if (!path.includes("..")) return false;
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

function describe(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return "a list";
  if (value === null) return "null";
  return typeof value === "object" ? "an object" : `${typeof value} ${String(value)}`;
}

function lower(subject: string): string {
  return subject.charAt(0).toLowerCase() + subject.slice(1);
}
