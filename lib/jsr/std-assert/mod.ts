/** Stand-in for `@std/assert`, over `node:assert`. */

import { deepStrictEqual, notDeepStrictEqual } from "node:assert/strict";

// deno-lint-ignore no-explicit-any
type AnyConstructor = new (...args: any[]) => unknown;

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Fails. */
export function fail(message?: string): never {
  throw new AssertionError(`Failed assertion${message ? `: ${message}` : "."}`);
}

/** Marks what cannot be reached. */
export function unreachable(reason?: string): never {
  throw new AssertionError(reason ?? "Unreachable.");
}

/** Fails unless a condition holds. */
export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Fails if a value is not falsy. */
export function assertFalse(condition: unknown, message = ""): void {
  if (condition) throw new AssertionError(message || `Expected falsy, received ${show(condition)}`);
}

/** Says whether two values are deeply equal. */
export function equal(a: unknown, b: unknown): boolean {
  try {
    deepStrictEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

/** Fails unless two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  rethrown(() => deepStrictEqual(actual, expected), "Values are not equal", message);
}

/** Fails if two values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  rethrown(() => notDeepStrictEqual(actual, expected), "Expected values to differ", message);
}

/** Fails unless two values are the same. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    withNote(`Values are not strictly equal: ${show(actual)} and ${show(expected)}`, message),
  );
}

/** Fails if two values are the same. */
export function assertNotStrictEquals(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) return;
  throw new AssertionError(withNote(`Expected other than ${show(expected)}`, message));
}

/** Fails if a value is null or undefined. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(
    withNote(`Expected actual: "${actual}" to not be null or undefined`, message),
  );
}

/** Fails unless a value is an instance of a class. */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is InstanceType<T> {
  if (actual instanceof expected) return;
  throw new AssertionError(
    withNote(
      `Expected object to be an instance of "${expected.name}" but was ${show(actual)}`,
      message,
    ),
  );
}

/** Fails unless a text holds another. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    withNote(`Expected actual: "${actual}" to contain: "${expected}"`, message),
  );
}

/** Fails unless a text matches a pattern. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    withNote(`Expected actual: "${actual}" to match: "${expected}"`, message),
  );
}

/** Fails if a text matches a pattern. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) return;
  throw new AssertionError(
    withNote(`Expected actual: "${actual}" to not match: "${expected}"`, message),
  );
}

/** Fails unless a list holds every one of some values. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void {
  const all = Array.from(actual);
  const missing = Array.from(expected).filter((each) => !all.some((other) => equal(each, other)));
  if (missing.length === 0) return;
  throw new AssertionError(withNote(`Expected ${show(all)} to include ${show(missing)}`, message));
}

/** Fails unless an object has at least the members of another, deeply. */
export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void {
  rethrown(
    () => deepStrictEqual(trimmed(actual, expected), expected),
    "Objects do not match",
    message,
  );
}

/** Fails unless one value is greater than another. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (actual > expected) return;
  throw new AssertionError(withNote(`Expect ${show(actual)} > ${show(expected)}`, message));
}

/** Fails unless one value is greater than another, or equal. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (actual >= expected) return;
  throw new AssertionError(withNote(`Expect ${show(actual)} >= ${show(expected)}`, message));
}

/** Fails unless one value is less than another. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (actual < expected) return;
  throw new AssertionError(withNote(`Expect ${show(actual)} < ${show(expected)}`, message));
}

/** Fails unless one value is less than another, or equal. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (actual <= expected) return;
  throw new AssertionError(withNote(`Expect ${show(actual)} <= ${show(expected)}`, message));
}

/** Fails unless a function throws, and throws what is expected; answers with what was thrown. */
export function assertThrows<E extends Error = Error>(
  run: () => unknown,
  // deno-lint-ignore no-explicit-any
  errorClass: abstract new (...args: any[]) => E = Error as never,
  messageIncludes = "",
  message?: string,
): E {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
    return asExpected(thrown, errorClass, messageIncludes, message);
  }
  throw new AssertionError(withNote("Expected function to throw", message));
}

/** Fails unless a promise is rejected with what is expected; answers with what was thrown. */
export async function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any
  errorClass: abstract new (...args: any[]) => E = Error as never,
  messageIncludes = "",
  message?: string,
): Promise<E> {
  try {
    await run();
  } catch (error) {
    return asExpected(error, errorClass, messageIncludes, message);
  }
  throw new AssertionError(withNote("Expected function to reject", message));
}

function asExpected<E extends Error>(
  thrown: unknown,
  // deno-lint-ignore no-explicit-any
  errorClass: abstract new (...args: any[]) => E,
  messageIncludes: string,
  message: string | undefined,
): E {
  if (!(thrown instanceof errorClass)) {
    throw new AssertionError(
      withNote(
        `Expected error to be instance of "${errorClass.name}", but was ${show(thrown)}`,
        message,
      ),
    );
  }
  if (!thrown.message.includes(messageIncludes)) {
    throw new AssertionError(
      withNote(
        `Expected error message to include "${messageIncludes}", but got "${thrown.message}"`,
        message,
      ),
    );
  }
  return thrown;
}

/** What of a value the expected one speaks of. */
function trimmed(actual: unknown, expected: unknown): unknown {
  if (!isPlain(actual) || !isPlain(expected)) return actual;
  return Object.fromEntries(
    Object.keys(expected).filter((key) => key in actual)
      .map((key) => [key, trimmed(actual[key], expected[key])]),
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Map) && !(value instanceof Set) && !(value instanceof Date);
}

function rethrown(check: () => void, what: string, message: string | undefined): void {
  try {
    check();
  } catch (cause) {
    const detail = (cause as Error).message.replace(/^Expected values to be.*\n?/, "");
    throw new AssertionError(`${withNote(what, message)}\n${detail}`);
  }
}

function withNote(text: string, message: string | undefined): string {
  return message === undefined ? text : `${text}: ${message}`;
}

function show(value: unknown): string {
  return Deno.inspect(value, { depth: 4 });
}
