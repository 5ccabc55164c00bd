import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  bytesOf,
  clean,
  compareBytes,
  isRaw,
  pathOf,
} from "../../plugins/nix2container/byte_paths.ts";

/** Bytes with many beginnings of characters that do not end. */
const BYTES = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x2f, 0xc3, 0xa9, 0xed, 0xa0, 0xf0, 0x9f, 0x98, 0x80, 0xef, 0xbf, 0xbd),
  ),
  { maxLength: 12 },
).map((bytes) => Uint8Array.from(bytes));

Deno.test("any bytes survive as a path, and paths order as their bytes do", () => {
  fc.assert(fc.property(BYTES, BYTES, (a, b) => {
    assertEquals(bytesOf(pathOf(a)), a);
    const expected = Math.sign(compareArrays(a, b));
    assertEquals(Math.sign(compareBytes(pathOf(a), pathOf(b))), expected);
  }));
});

Deno.test("bytes that are no UTF-8 make a path raw, U+FFFD does not", () => {
  assertEquals(isRaw(pathOf(Uint8Array.of(0x61, 0xff))), true);
  assertEquals(isRaw(pathOf(new TextEncoder().encode("\ufffd\u{1f600}"))), false);
});

Deno.test("clean() gives the shortest path", () => {
  const cases: [string, string][] = [
    ["", "."],
    ["/", "/"],
    ["//a//b/", "/a/b"],
    ["a/../..", ".."],
    ["/../a", "/a"],
    ["./a/./b/..", "a"],
    ["../../x", "../../x"],
  ];
  for (const [path, expected] of cases) assertEquals([path, clean(path)], [path, expected]);
});

function compareArrays(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  if (at < 0) return a.length - b.length;
  return at >= b.length ? 1 : a[at]! - b[at]!;
}
