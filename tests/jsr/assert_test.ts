import {
  assert,
  assertEquals,
  AssertionError,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  equal,
} from "@std/assert";

/** What a call failed with; undefined where it did not. */
function failure(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof AssertionError && error.name === "AssertionError") return error.message;
    throw error;
  }
}

async function rejection(call: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
}

/** Fails by itself: what is tested here cannot judge itself. */
function expect(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${actual} is not ${expected}`);
}

class Point {
  constructor(readonly x: number) {}
}

Deno.test("equal() compares deeply, by kind, and takes -0 for 0", () => {
  const same: [unknown, unknown][] = [
    [1, 1],
    [NaN, NaN],
    [-0, 0],
    [[1, [-0]], [1, [0]]],
    [{ a: { b: -0 } }, { a: { b: 0 } }],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }],
    [new Map([["a", [1]]]), new Map([["a", [1]]])],
    [new Set([[1], [2]]), new Set([[2], [1]])],
    [new Date(5), new Date(5)],
    [/a/g, /a/g],
    [new URL("http://a/"), new URL("http://a")],
    [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    [new Point(1), new Point(1)],
    [{ [Symbol.for("s")]: 1 }, { [Symbol.for("s")]: 1 }],
    [undefined, undefined],
  ];
  for (const [a, b] of same) expect(equal(a, b), true, Deno.inspect([a, b]));
  const other: [unknown, unknown][] = [
    [1, "1"],
    [null, undefined],
    [{ a: undefined }, {}],
    [[undefined], []],
    [[1], { 0: 1, length: 1 }],
    [new Map([["a", 1]]), new Map([["a", 2]])],
    [new Set([1]), new Set([1, 2])],
    [new Date(5), new Date(6)],
    [/a/g, /a/i],
    [new Uint8Array([1]), new Uint8Array([2])],
    [new Point(1), { x: 1 }],
    [{ [Symbol.for("s")]: 1 }, { [Symbol.for("s")]: 2 }],
    [new Error("x"), new Error("y")],
    [new Error("x"), new TypeError("x")],
  ];
  for (const [a, b] of other) expect(equal(a, b), false, Deno.inspect([a, b]));
});

Deno.test("assert() and its like say what is wrong, and the message that was given", () => {
  const cases: [() => unknown, string | undefined][] = [
    [() => assert(1), undefined],
    [() => assert(0), ""],
    [() => assert("", "gone"), "gone"],
    [() => assertEquals([1], [1]), undefined],
    [() => assertNotEquals([1], [2]), undefined],
    [() => assertStringIncludes("abc", "b"), undefined],
    [() => assertStringIncludes("abc", "x"), 'Expected actual: "abc" to contain: "x".'],
    [() => assertStringIncludes("a", "x", "no"), 'Expected actual: "a" to contain: "x": no'],
    [() => assertMatch("abc", /b/), undefined],
    [() => assertMatch("abc", /x/), 'Expected actual: "abc" to match: "/x/".'],
    [() => assertNotEquals(1, 1), "Expected actual: 1 not to be: 1."],
    [() => assertThrows(() => {}), "Expected function to throw."],
    [() => assertThrows(() => {}, "why"), "Expected function to throw: why"],
    [
      () => assertThrows(() => fail(new Error("x")), TypeError),
      'Expected error to be instance of "TypeError", but was "Error".',
    ],
    [
      () => assertThrows(() => fail(new Error("x")), Error, "y", "why"),
      'Expected error message to include "y", but got "x": why',
    ],
    [() => assertThrows(() => fail("text"), Error), "A non-Error object was thrown."],
  ];
  for (const [call, expected] of cases) expect(failure(call), expected, String(call));
});

function fail(error: unknown): never {
  throw error;
}

Deno.test("assertEquals() shows both values", () => {
  const message = failure(() => assertEquals({ name: "left" }, { name: "right" }, "why")) ?? "";
  expect(message.startsWith("Values are not equal: why\n"), true, message);
  for (const word of ["left", "right"]) expect(message.includes(word), true, message);
});

Deno.test("assertThrows() and assertRejects() answer with what was thrown", async () => {
  const error = new TypeError("\x1b[31mred\x1b[39m text");
  const thrown: TypeError = assertThrows(() => fail(error), TypeError, "red text");
  expect(thrown, error, "thrown");
  const unknown: unknown = assertThrows(() => fail("text"));
  expect(unknown, "text", "thrown text");
  const rejected: TypeError = await assertRejects(() => Promise.reject(error), TypeError, "red");
  expect(rejected, error, "rejected");
});

Deno.test("assertRejects() says what is wrong", async () => {
  const cases: [() => Promise<unknown>, string | undefined][] = [
    [() => assertRejects(() => Promise.resolve()), "Expected function to reject."],
    [
      () => assertRejects(() => Promise.resolve(), Error, "x", "why"),
      "Expected function to reject: why",
    ],
    [
      () => assertRejects(() => fail(new Error("x"))),
      "Function throws when expected to reject.",
    ],
    [
      () => assertRejects(() => Promise.reject("text"), Error),
      "A non-Error object was rejected.",
    ],
    [
      () => assertRejects(() => Promise.reject(new Error("x")), Error, "y"),
      'Expected error message to include "y", but got "x".',
    ],
    [() => assertRejects(() => Promise.reject(new Error("x")), Error, "x"), undefined],
  ];
  for (const [call, expected] of cases) expect(await rejection(call), expected, String(call));
});
