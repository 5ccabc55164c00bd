/** What readers of lock files and JSON give: the parts of a file that count. */

import type { ProjectedPart } from "../../model/projection.ts";

/** A part of a file. */
export interface Part extends Pick<ProjectedPart, "type" | "name" | "version"> {
  /** All that it says, as text: another text counts as another part. */
  readonly value: string;
}

/** Something in a file that a reader does not understand: the whole file counts. */
export class NotUnderstood extends Error {
  override readonly name = "NotUnderstood";
}

/** An object of a parsed file. */
export type Table = Readonly<Record<string, unknown>>;

/** Asserts that a value is an object. @throws {NotUnderstood} */
export function tableOf(value: unknown, name: string): Table {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new NotUnderstood(`${name} is no table`);
  }
  return value as Table;
}

/** An object's member of its own. */
export function memberOf(table: Table, name: string): unknown {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** An object's member that is an object, which may be missing. @throws {NotUnderstood} */
export function tableIn(table: Table, name: string): Table {
  const value = memberOf(table, name);
  return value === undefined || value === null ? {} : tableOf(value, name);
}

/** Refuses names that no rule is known for. @throws {NotUnderstood} */
export function refuseUnknown(table: Table, known: ReadonlySet<string>, where: string): void {
  const unknown = Object.keys(table).find((name) => !known.has(name));
  if (unknown !== undefined) throw new NotUnderstood(`${where} holds "${unknown}"`);
}

/**
 * Refuses a document in which a value stands twice, as aliases of YAML make it: rendered as text, it
 * may be far larger than the file.
 *
 * @throws {NotUnderstood}
 */
export function refuseShared(document: unknown): void {
  const seen = new Set<object>();
  const waiting: unknown[] = [document];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== "object" || value === null) continue;
    if (seen.has(value)) throw new NotUnderstood("it has aliases");
    seen.add(value);
    waiting.push(...Object.values(value).filter((each) => each !== undefined));
  }
}
