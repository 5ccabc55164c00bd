import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { columnsOf, fit, pad, wrap } from "../../lib/report/text.ts";
import { printable } from "../../lib/report/printable.ts";

Deno.test("columnsOf() counts what a terminal moves on", () => {
  const cases: [string, number][] = [
    ["plain", 5],
    ["", 0],
    ["漢字", 4],
    ["ﾊﾝｶｸ", 4],
    ["Ａ", 2],
    ["é", 1],
    ["e\u0301", 1],
    ["한글", 4],
    ["🚀", 2],
    // Some terminals draw a family as one, others its members side by side: there is room for all.
    ["👩‍👩‍👧", 6],
    ["🇩🇪", 2],
    ["a\u200bb", 2],
    ["\x1b[31mred\x1b[0m", 3],
    ["…→✓│", 4],
  ];
  for (const [text, columns] of cases) assertEquals(columnsOf(text), columns, JSON.stringify(text));
});

Deno.test("fit() cuts between what people see as characters", () => {
  const cases: [string, number, string][] = [
    ["plain", 5, "plain"],
    ["plain", 4, "pla…"],
    ["漢字かな", 8, "漢字かな"],
    ["漢字かな", 7, "漢字か…"],
    ["漢字かな", 6, "漢字…"],
    ["e\u0301e\u0301e\u0301", 2, "e\u0301…"],
    ["👩‍👩‍👧👩‍👩‍👧", 7, "👩‍👩‍👧…"],
    ["👩‍👩‍👧👩‍👩‍👧", 6, "…"],
    ["🇩🇪🇫🇷", 2, "…"],
    ["ab", 1, "…"],
    ["ab", 0, ""],
  ];
  for (const [text, columns, cut] of cases) assertEquals(fit(text, columns), cut, text);
});

const texts = fc.array(
  fc.constantFrom("a", "b ", "漢", "e\u0301", "🚀", "👩‍👩‍👧", " ", "-", "한"),
  { maxLength: 40 },
).map((parts) => parts.join(""));

Deno.test("fit() never takes more columns than there are, and pad() never less", () => {
  fc.assert(fc.property(texts, fc.integer({ min: 0, max: 60 }), (text, columns) => {
    const cut = fit(text, columns);
    assert(columnsOf(cut) <= columns);
    if (columnsOf(text) <= columns) assertEquals(cut, text);
    else assert(columns === 0 || text.startsWith(cut.slice(0, -1)));
    assert(columnsOf(pad(cut, columns)) === Math.max(columns, columnsOf(cut)));
  }));
});

Deno.test("wrap() loses no word, and breaks only where a word ends", () => {
  const words = fc.array(fc.constantFrom("one", "漢字", "🚀", "a-much-longer-word"), {
    maxLength: 20,
  });
  fc.assert(fc.property(words, fc.integer({ min: 20, max: 60 }), (list, columns) => {
    const lines = wrap(list.join(" "), columns);
    for (const line of lines) assert(columnsOf(line) <= columns, line);
    assertEquals(lines.flatMap((line) => line.trim().split(" ")).filter(Boolean), list);
  }));
  assertEquals(wrap("  next: do this and that", 14), ["  next: do", "    this and", "    that"]);
  assertEquals(wrap("two\nlines", 80), ["two", "lines"]);
});

Deno.test("printable() leaves no sequence that does more than colour", () => {
  assertEquals(
    printable("a\x1b[2Jb\x1b]0;title\x07c\x07d\x1b[1;31me\x1b[0m", true),
    "abcd\x1b[1;31me\x1b[0m",
  );
  assertEquals(printable("\x1b[31mred", true), "\x1b[31mred\x1b[0m");
  assertEquals(printable("\x1b[31mred\x1b[0m\r\ttab\x9b5A", false), "red        tab5A");
});
