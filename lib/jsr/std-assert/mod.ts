/** Stand-in for `@std/assert`, over `node:assert`: the assertions that are used here. */

import { deepStrictEqual } from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";

// deno-lint-ignore no-explicit-any
type ErrorClass<E> = abstract new (...args: any[]) => E;

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Fails unless a condition holds. */
export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Says whether two values are deeply equal; `-0` equals `0`. */
export function equal(a: unknown, b: unknown): boolean {
  return difference(a, b) === undefined;
}

/** Fails unless two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  const detail = difference(actual, expected);
  if (detail !== undefined) {
    throw new AssertionError(`Values are not equal${suffix(message)}\n${detail}`);
  }
}

/** Fails if two values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (difference(actual, expected) !== undefined) return;
  const text = `Expected actual: ${show(actual)} not to be: ${show(expected)}${suffix(message)}`;
  throw new AssertionError(text);
}

/** Fails unless a text holds another. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (actual.includes(expected)) return;
  const text = `Expected actual: "${actual}" to contain: "${expected}"${suffix(message)}`;
  throw new AssertionError(text);
}

/** Fails unless a text matches a pattern. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) return;
  const text = `Expected actual: "${actual}" to match: "${expected}"${suffix(message)}`;
  throw new AssertionError(text);
}

/** Fails unless a function throws; answers with what was thrown. */
export function assertThrows(run: () => unknown, message?: string): unknown;
/** Fails unless a function throws an error of a class, whose message includes a text. */
export function assertThrows<E extends Error = Error>(
  run: () => unknown,
  errorClass: ErrorClass<E>,
  messageIncludes?: string,
  message?: string,
): E;
export function assertThrows<E extends Error>(
  run: () => unknown,
  classOrMessage?: ErrorClass<E> | string,
  messageIncludes?: string,
  last?: string,
): unknown {
  const [errorClass, message] = told(classOrMessage, last);
  try {
    run();
  } catch (error) {
    return checked(error, errorClass, messageIncludes, message, "thrown");
  }
  throw new AssertionError(`Expected function to throw${suffix(message)}`);
}

/** Fails unless a promise is rejected; answers with what it was rejected with. */
export function assertRejects(run: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
/** Fails unless a promise is rejected with an error of a class, whose message includes a text. */
export function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  messageIncludes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  run: () => PromiseLike<unknown>,
  classOrMessage?: ErrorClass<E> | string,
  messageIncludes?: string,
  last?: string,
): Promise<unknown> {
  const [errorClass, message] = told(classOrMessage, last);
  const promise = started(run, message);
  try {
    await promise;
  } catch (error) {
    return checked(error, errorClass, messageIncludes, message, "rejected");
  }
  throw new AssertionError(`Expected function to reject${suffix(message)}`);
}

function started(run: () => PromiseLike<unknown>, message: string | undefined) {
  let result: unknown;
  try {
    result = run();
  } catch {
    // What throws at once is as wrong as what gives no promise.
  }
  if (typeof (result as PromiseLike<unknown> | undefined)?.then === "function") {
    return result as PromiseLike<unknown>;
  }
  throw new AssertionError(`Function throws when expected to reject${suffix(message)}`);
}

function told<E>(
  classOrMessage: ErrorClass<E> | string | undefined,
  last: string | undefined,
): [ErrorClass<E> | undefined, string | undefined] {
  return typeof classOrMessage === "string" ? [undefined, classOrMessage] : [classOrMessage, last];
}

function checked<E>(
  error: unknown,
  errorClass: ErrorClass<E> | undefined,
  messageIncludes: string | undefined,
  message: string | undefined,
  how: "thrown" | "rejected",
): unknown {
  if (errorClass === undefined) return error;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was ${how}${suffix(message)}`);
  }
  if (!(error instanceof errorClass)) {
    const text = `Expected error to be instance of "${errorClass.name}", ` +
      `but was "${error.constructor.name}"${suffix(message)}`;
    throw new AssertionError(text);
  }
  const plain = stripVTControlCharacters(error.message);
  if (messageIncludes && !plain.includes(stripVTControlCharacters(messageIncludes))) {
    const text = `Expected error message to include ${JSON.stringify(messageIncludes)}, ` +
      `but got ${JSON.stringify(error.message)}${suffix(message)}`;
    throw new AssertionError(text);
  }
  return error;
}

/** How two values differ; undefined where they do not. */
function difference(a: unknown, b: unknown): string | undefined {
  const detail = strictDifference(a, b);
  return detail === undefined ? undefined : strictDifference(unsigned(a), unsigned(b));
}

function strictDifference(a: unknown, b: unknown): string | undefined {
  try {
    deepStrictEqual(a, b);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Expected values to be strictly.*\n?/, "");
  }
}

/** A value whose zeros have no sign; what is neither list nor plain object is left as it is. */
function unsigned(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(unsigned);
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Reflect.ownKeys(value).map((key) => [key, unsigned(Reflect.get(value, key))]),
  );
}

function suffix(message: string | undefined): string {
  return message ? `: ${message}` : ".";
}

function show(value: unknown): string {
  return Deno.inspect(value, { depth: 4 });
}
