import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  escapePattern,
  goMatcher,
  hasWildcard,
  IgnorePatterns,
  readIgnoreFile,
  unescapePattern,
} from "../../plugins/dockerfile/plan/match.ts";

Deno.test("goMatcher() matches as Go's filepath.Match", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["*.txt", "a.txt", true],
    ["*.txt", "d/a.txt", false],
    ["*", ".hidden", true],
    ["a?c", "a/c", false],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[^a]", "/", false],
    ["[]a]", "]", false],
    ["[[]x]", "[x]", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["[\\-x]", "-", true],
    ["**", "a/b", false],
    ["a-b.{x}", "a-b.{x}", true],
    ["ü?", "üñ", true],
  ];
  for (const [pattern, path, result] of cases) {
    if (pattern === "[]a]") assertThrows(() => goMatcher(pattern));
    else assertEquals(goMatcher(pattern)(path), result, `${pattern} ${path}`);
  }
  for (const pattern of ["[", "[a", "[a-", "a\\", "[-a]"]) assertThrows(() => goMatcher(pattern));
});

Deno.test("escapePattern() makes a pattern that matches that path alone", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (path) => {
    const pattern = escapePattern(path);
    assertEquals(hasWildcard(pattern), false);
    assertEquals(unescapePattern(pattern), path);
    assertEquals(goMatcher(pattern)(path), true);
  }));
});

Deno.test("IgnorePatterns lets the last pattern that matches decide", () => {
  const hidden = (patterns: readonly string[], paths: readonly string[]) => {
    const ignore = new IgnorePatterns(patterns);
    return paths.filter((path) => ignore.hides(path));
  };
  assertEquals(hidden(["*", "!a", "a/b"], ["a", "a/c", "a/b/d", "x"]), ["a/b/d", "x"]);
  assertEquals(hidden(["**/x"], ["x", "a/x", "a/b/x/y", "ax"]), ["x", "a/x", "a/b/x/y"]);
  assertEquals(hidden(["a/**"], ["a", "a/b", "a/b/c"]), ["a/b", "a/b/c"]);
  assertEquals(hidden(["a/**/c"], ["a/c", "a/b/c", "a/b/d/c", "a/bc"]), [
    "a/c",
    "a/b/c",
    "a/b/d/c",
  ]);
  assertEquals(hidden(["*.md", "!README*", "README-x.md"], ["a.md", "README.md", "README-x.md"]), [
    "a.md",
    "README-x.md",
  ]);
});

Deno.test("readIgnoreFile() drops comments and cleans paths", () => {
  assertEquals(
    readIgnoreFile("\uFEFF# no\n\n  /a/../b/ \r\n! ./c//d\n#\n/\n ..  \n"),
    ["b", "!c/d", "/", ".."],
  );
});
