/**
 * Checking what a document from anywhere holds, field by field, as Go's decoder would: null stands
 * for a field that is not there, what is unknown is kept, and everything else has its own type.
 */

/** Something that has another shape than its place asks for. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";

  /** @param at where it is, e.g. `config.Env[0]`. */
  constructor(at: string, expected: string, value: unknown) {
    super(`${at} is ${shown(value)}, not ${expected}`);
  }
}

/** Checks a value that is not null and gives it, or what it stands for. */
export type Check = (value: unknown, at: string) => unknown;

/** The checks of an object's fields. */
export type Fields = Readonly<Record<string, Check>>;

/** How deep a document may be nested. */
const DEPTH_LIMIT = 200;

/** A text. */
export function text(value: unknown, at: string): string {
  if (typeof value === "string") return value;
  throw new ShapeError(at, "a text", value);
}

/** True or false. */
export function flag(value: unknown, at: string): boolean {
  if (typeof value === "boolean") return value;
  throw new ShapeError(at, "true or false", value);
}

/** A whole number that is not changed by reading it. */
export function whole(value: unknown, at: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new ShapeError(at, "a whole number up to 2^53", value);
}

/** A whole number of things or bytes. */
export function count(value: unknown, at: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new ShapeError(at, "a number of bytes up to 2^53", value);
}

/** A time as RFC 3339 writes it. */
export function time(value: unknown, at: string): string {
  const isTime = typeof value === "string" && value.length < 64 &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value));
  if (isTime) return value;
  throw new ShapeError(at, 'a time such as "2006-01-02T15:04:05Z"', value);
}

/** A list, each of whose items is checked; none of them may be null. */
export function list(item: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value)) throw new ShapeError(at, "a list", value);
    return value.map((each, index) => item(each, `${at}[${index}]`));
  };
}

/** A table of names, each of whose values is checked; null is what Go makes of it. */
export function table(item: Check, ofNull: () => unknown): Check {
  return (value, at) =>
    Object.fromEntries(
      Object.entries(objectAt(value, at)).map(([name, each]) => [
        name,
        each === null ? ofNull() : item(each, `${at}[${JSON.stringify(name)}]`),
      ]),
    );
}

/** An object with fields, those that are null left out; unknown ones are kept as they are. */
export function object(fields: Fields, required: readonly string[] = []): Check {
  return (value, at) => {
    const read = objectAt(value, at);
    for (const name of required) {
      if (!Object.hasOwn(read, name) || read[name] === null) {
        throw new ShapeError(fieldAt(at, name), "there", undefined);
      }
    }
    return Object.fromEntries(
      Object.entries(read).flatMap(([name, each]) => {
        const check = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (check === undefined) return [[name, each]];
        return each === null ? [] : [[name, check(each, fieldAt(at, name))]];
      }),
    );
  };
}

/** Any object, of which nothing more is known. */
export function empty(value: unknown, at: string): Record<string, never> {
  objectAt(value, at);
  return {};
}

function objectAt(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ShapeError(at === "" ? "it" : at, "an object", value);
}

function fieldAt(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}

/** Refuses what is nested so deep that walking it would end in the call stack. */
export function checkDepth(value: unknown): void {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_LIMIT) {
      throw new Error(`it is nested more than ${DEPTH_LIMIT} levels deep`);
    }
    level = level.flatMap((each) =>
      typeof each === "object" && each !== null ? Object.values(each) : []
    );
  }
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const written = JSON.stringify(value);
  return written.length > 60 ? `${written.slice(0, 60)}…` : written;
}
