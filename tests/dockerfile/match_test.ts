import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { filesOf } from "./files_of.ts";
import { Rig } from "./rig.ts";
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

Deno.test("IgnorePatterns passes over an exception of a folder that nothing has hidden", () => {
  const paths = ["a", "a/b", "a/b/c", "a/d", "e/b/c"];
  const hidden = (...patterns: string[]) => {
    const ignore = new IgnorePatterns(patterns);
    const found = paths.filter((path) => ignore.hides(path));
    // In whatever order they are asked for.
    assertEquals(paths.toReversed().filter((path) => ignore.hides(path)), found.toReversed());
    return found;
  };
  // As Docker builds them.
  assertEquals(hidden("a/b", "!a"), ["a/b", "a/b/c"]);
  assertEquals(hidden("!a", "**/b/*", "!a"), ["a/b/c", "e/b/c"]);
  assertEquals(hidden("a", "a/b", "!a"), []);
  assertEquals(hidden("a", "!a/b", "a/b/c"), ["a", "a/b/c", "a/d"]);
  assertEquals(hidden("**", "!*/b"), ["a", "a/d"]);
});

Deno.test("IgnorePatterns takes what means something in regular expressions for itself", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."ab+.()|{}$^ &,-~!") }), (name) => {
    for (const pattern of [`x${name}y`, `x${name}*`, `**/x${name}y`]) {
      const ignore = new IgnorePatterns([pattern]);
      assertEquals([`x${name}y`, `d/x${name}y`, "xabaay"].map((path) => ignore.hides(path)), [
        true,
        pattern.startsWith("**"),
        name === "abaa" || (pattern.endsWith("*") && "abaay".startsWith(name)),
      ], pattern);
    }
  }));
});

Deno.test("IgnorePatterns takes two stars in front for the beginning of a name too, as moby does", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["**.md"], "x.md y/z.md y/z.md/in"],
    [["**z.md"], "y/z.md y/z.md/in"],
    [["**", "!**.txt"], "xbar x.md y/z.md y/z.md/in x.md5"],
    [["**bar"], "xbar"],
    // Once something else is special, only whole names are passed over.
    [["**.m*"], ""],
    [["**x.m*"], "x.md x.md5"],
    [["**z.m?"], "y/z.md y/z.md/in"],
    [["**/**/**/z*"], "y/z.md y/z.md/in"],
    [["****z.md"], "y/z.md y/z.md/in"],
    [["y**"], "y/z.md y/z.md/in"],
    [["y/***"], "y/z.md y/z.md/in"],
  ];
  const paths = ["xbar", "x.md", "y/z.md", "y/z.md/in", "x.md5", "a.txt", "d/b.txt"];
  for (const [patterns, hidden] of cases) {
    const ignore = new IgnorePatterns(patterns);
    assertEquals(paths.filter((path) => ignore.hides(path)).join(" "), hidden, patterns.join(" "));
  }
  const stars = new IgnorePatterns([`${"**/".repeat(40)}x`, `${"*".repeat(41)}x`]);
  assertEquals(stars.hides(`${"a/".repeat(200)}b`), false);
  assertEquals(goMatcher(`${"*".repeat(40)}x`)("a".repeat(200)), false);
});

Deno.test("build() hides for the key and for the image what Docker hides", async () => {
  await using rig = await Rig.create({
    ".dockerignore": "app/(group)/page.tsx\nfile (1).txt\na+b\nc++\na(b\n**.pem\n**bar\n",
    "Dockerfile": "FROM scratch\nCOPY --exclude=**.md . /\n",
  });
  const hidden = ["app/(group)/page.tsx", "file (1).txt", "a+b", "c++", "a(b", "x.pem", "d/y.pem"];
  const kept = ["app/group/page.tsx", "file 1.txt", "aab", "c", "ab", "x.pem5"];
  const excluded = ["a.md", "d/b.md"];
  for (const path of [...hidden, ...kept, ...excluded, "xbar"]) rig.write({ [path]: path });
  const own = [".dockerignore", "Dockerfile"];
  assertEquals(await rig.inputs(), [...own, ...kept].sort());
  const files = Object.entries(await filesOf((await rig.build()).image.layers));
  assertEquals(
    files.filter(([, it]) => it.startsWith("file")).map(([path]) => path.slice(1)).sort(),
    [...own, ...kept].sort(),
  );
});

Deno.test("IgnorePatterns refuses an exclamation mark with nothing behind it", () => {
  assertThrows(() => new IgnorePatterns(["a", "!"]), Error, "exclamation mark");
});

Deno.test("readIgnoreFile() drops comments and cleans paths", () => {
  assertEquals(
    readIgnoreFile("\uFEFF# no\n\n  /a/../b/ \r\n! ./c//d\n#\n/\n ..  \n"),
    ["b", "!c/d", "/", ".."],
  );
});
