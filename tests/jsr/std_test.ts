import { assertEquals, assertThrows } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { fromFileUrl, join, relative, resolve } from "@std/path";
import { parse, parseAll, stringify } from "@std/yaml";
import fc from "fast-check";

Deno.test("unicodeWidth() adds up what code points take", () => {
  const widths: [string, number][] = [
    ["", 0],
    ["hello", 5],
    ["日本語", 6],
    ["ｆｕｌｌ", 8],
    ["e\u0301", 1],
    ["\u00ad", 1],
    ["a\u200bb", 2],
    ["\x1b\t\n", 0],
    ["한글", 4],
    ["✓ ✗ … → ─ █", 11],
    ["🦕", 2],
    ["👩‍👩‍👧", 6],
    ["𓐰", 0],
  ];
  for (const [text, width] of widths) assertEquals(unicodeWidth(text), width, text);
});

Deno.test("unicodeWidth() takes any text, and adds up", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, (a, b) => unicodeWidth(a + b) === unicodeWidth(a) + unicodeWidth(b)),
    { seed: 5 },
  );
});

Deno.test("paths are joined, resolved and compared", () => {
  assertEquals(join("a", "..", "b", "./c/"), "b/c/");
  assertEquals(join("", ""), ".");
  assertEquals(join("/a//b", "../../.."), "/");
  assertEquals(join(new URL("file:///a%20b/"), "c"), "/a b/c");
  assertEquals(resolve("/a/b", "../c", "d"), "/a/c/d");
  assertEquals(resolve("/a", "/b"), "/b");
  assertEquals(resolve("x"), `${Deno.cwd()}/x`);
  assertEquals(relative("/a/b", "/a/c/d"), "../c/d");
  assertEquals(relative("/a/b", "/a/b"), "");
  assertEquals(relative("/", "/a"), "a");
});

Deno.test("fromFileUrl() undoes what a URL escapes", () => {
  assertEquals(fromFileUrl("file:///a%20b/%C3%BC"), "/a b/ü");
  assertEquals(fromFileUrl(new URL("file:///a/100%")), "/a/100%");
  assertThrows(() => fromFileUrl("http://host/a"), TypeError, "URL must be a file URL");
});

Deno.test("relative() leads back to where it was", () => {
  const part = fc.constantFrom("a", "b", "..", ".", "c.d");
  const path = fc.array(part).map((parts) => resolve("/", parts.join("/")));
  fc.assert(fc.property(path, path, (a, b) => resolve(a, relative(a, b)) === b), { seed: 5 });
});

Deno.test("parse() reads one document, parseAll() all of them", () => {
  assertEquals(
    parse(`
on: { push: [main] }
text: |
  two
  lines
folded: >-
  one
  line
base: &base { a: 1, b: ~ }
more:
  <<: *base
  b: "x"
numbers: [1, -2, 3.5, .inf, 0x1f]
day: 2020-01-02
`),
    {
      on: { push: ["main"] },
      text: "two\nlines\n",
      folded: "one line",
      base: { a: 1, b: null },
      more: { a: 1, b: "x" },
      numbers: [1, -2, 3.5, Infinity, 31],
      day: new Date("2020-01-02"),
    },
  );
  assertEquals(parse(""), null);
  assertEquals(parseAll("a: 1\n---\n- b\n---\n"), [{ a: 1 }, ["b"], null]);
});

Deno.test("parse() refuses what is no YAML, or more than one document", () => {
  for (const text of ["a: [1", "a: b: c", "a: 1\na: 2", "a: *x", "!own 1", "a: 1\n---\nb: 2"]) {
    assertThrows(() => parse(text), SyntaxError);
  }
  assertThrows(() => parseAll("a: 1\n---\nb: ["), SyntaxError);
});

Deno.test("stringify() writes what deployments read", () => {
  const images = [{ name: "web", newName: "ghcr.io/acme/web", newTag: "v1" }];
  assertEquals(
    stringify({ kind: "Kustomization", images }),
    `kind: Kustomization
images:
  - name: web
    newName: ghcr.io/acme/web
    newTag: v1
`,
  );
  const reference = `ghcr.io/acme/web@sha256:${"0".repeat(64)}`;
  assertEquals(parse(stringify({ services: { web: { image: reference } } })), {
    services: { web: { image: reference } },
  });
  assertEquals(
    stringify({ a: "on", b: "1", c: "", d: null, e: [], f: {}, g: "a: b" }),
    [
      "a: 'on'",
      "b: '1'",
      "c: ''",
      "d: null",
      "e: []",
      "f: {}",
      "g: 'a: b'",
      "",
    ].join("\n"),
  );
  assertEquals(stringify({ a: "x\ny\n" }), "a: |\n  x\n  y\n");
  assertThrows(() => stringify({ a: () => {} }), TypeError);
  assertThrows(() => stringify({ a: [undefined] }), TypeError, "Cannot stringify undefined");
  assertEquals(stringify({ a: undefined, b: 1 }, { skipInvalid: true }), "b: 1\n");
});

Deno.test("integers are those of YAML 1.1", () => {
  const read: [string, unknown][] = [
    ["0644", 0o644],
    ["-017", -15],
    ["0o17", "0o17"],
    ["0b101", 5],
    ["0x1F", 31],
    ["1_000", 1000],
    ["1_", "1_"],
    ["+12", 12],
    ["0", 0],
  ];
  for (const [text, value] of read) assertEquals(parse(text), value, text);
  assertEquals(
    stringify({ a: "0644", b: "0o17", c: 420, d: -1 }),
    "a: '0644'\nb: 0o17\nc: 420\nd: -1\n",
  );
});

Deno.test("parse() reads what stringify() writes", () => {
  const value = fc.jsonValue({ noUnicodeString: false }).filter((each) =>
    !JSON.stringify(each).includes("-0")
  );
  fc.assert(
    fc.property(value, (each) => assertEquals(parse(stringify(each)), each)),
    { numRuns: 200, seed: 5 },
  );
});
