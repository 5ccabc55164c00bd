import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { expandWord, expandWords, ExpansionError } from "../../plugins/dockerfile/syntax/expand.ts";
import { parseScript } from "../../plugins/dockerfile/syntax/script.ts";
import { readStatements } from "../../plugins/dockerfile/syntax/statements.ts";
import {
  jsonArray,
  leadingJsonArray,
  splitPairs,
  splitWords,
} from "../../plugins/dockerfile/syntax/words.ts";

/** Keyword, what follows it, and the texts of its here-documents. */
function statements(text: string): unknown[] {
  return readStatements(text, "Dockerfile").statements.map(({ keyword, rest, heredocs }) =>
    heredocs.length === 0 ? [keyword, rest] : [keyword, rest, ...heredocs.map((it) => it.content)]
  );
}

Deno.test("readStatements() joins continuation lines and passes over comments and blank lines", () => {
  assertEquals(
    statements("FROM a\n# no\nRUN x \\\n  # no \\\n\n  y \\  \n z\nCMD a\\\\\n  CMD b"),
    [["FROM", "a"], ["RUN", "x   y  z"], ["CMD", "a\\\\"], ["CMD", "b"]],
  );
});

Deno.test("readStatements() reads here-documents only where Docker does", () => {
  assertEquals(
    statements(
      'RUN sh -c "cat <<EOF"\nRUN cat <<<"x"\nRUN echo $((1<<2))\nCMD cat <<EOF\nRUN ["<<E"]\n',
    ),
    [
      ["RUN", 'sh -c "cat <<EOF"'],
      ["RUN", 'cat <<<"x"'],
      ["RUN", "echo $((1<<2))"],
      ["CMD", "cat <<EOF"],
      ["RUN", '["<<E"]'],
    ],
  );
  assertEquals(
    statements(
      "RUN a 3<<X <<-'Y Z' \\\n && b\n1\nX\n\t2 \\\n\tY Z\nCOPY <<\"E\" /e\nE\nONBUILD ADD <<Q /q\nq\nQ",
    ),
    [
      ["RUN", "a 3<<X <<-'Y Z'  && b", "1\n", "\t2 \\\n"],
      ["COPY", '<<"E" /e', ""],
      ["ONBUILD", "ADD <<Q /q", "q\n"],
    ],
  );
});

Deno.test("readStatements() takes a byte-order mark, Windows line ends and the escape directive", () => {
  const { escape, statements } = readStatements(
    "\uFEFF# escape=`\r\nFROM a `\r\n  AS b\r\nCOPY c:\\x .\r\n",
    "Dockerfile",
  );
  assertEquals([escape, ...statements.map((it) => it.rest)], ["`", "a   AS b", "c:\\x ."]);
});

Deno.test("readStatements() takes directives only where nothing else stands before them", () => {
  const escapeOf = (text: string) => readStatements(`${text}\nFROM x`, "Dockerfile").escape;
  assertEquals(escapeOf("# syntax=a/b:1\n#check=skip=all\n# Escape = `"), "`");
  for (const before of ["# a=b\n# a=c", "# comment", "", "#!/bin/sh", "ARG A"]) {
    assertEquals(escapeOf(`${before}\n# escape=\``), "\\", before);
  }
});

Deno.test("readStatements() finds every instruction whatever comments and spaces stand between", () => {
  const filler = fc.constantFrom("", "# comment \\", "   ", "\t# FROM x", "#");
  const body = fc.constantFrom(
    "RUN a b",
    "COPY x \\\n# c\n\n y",
    'ENV A="b c"',
    "RUN <<E\nRUN no\nE",
  );
  const file = fc.array(fc.tuple(filler, body), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(file, fc.boolean(), (lines, windows) => {
    const text = lines.map(([before, instruction]) => `${before}\n${instruction}\n`).join("");
    const found = statements(windows ? text.replaceAll("\n", "\r\n") : text);
    assertEquals(found.length, lines.length);
  }));
});

const VALUES: Readonly<Record<string, string>> = { S: "set", E: "", P: "/usr/local/lib.tar.gz" };
const lookup = (name: string) => VALUES[name];

const EXPANSIONS: readonly (readonly [string, string])[] = [
  ["$S-${S}-$U.", "set-set-."],
  ["'$S' \"$S\" \\$S", "$S set $S"],
  ["${S:-d}${E:-d}${U:-d}${E-d}${U-d}", "setdd" + "d"],
  ["${S:+y}${E:+y}${E+y}${U+n}", "yy"],
  ["${U:-${S}x} ${U:-'a}b'}", "setx a}b"],
  [
    "${P#*/}|${P##*/}|${P%.*}|${P%%.*}",
    "usr/local/lib.tar.gz|lib.tar.gz|/usr/local/lib.tar|/usr/local/lib",
  ],
  [
    "${P/l/L}|${P//l/L}|${P/\\//_}|${P//?r/-}",
    "/usr/Local/lib.tar.gz|/usr/LocaL/Lib.tar.gz|_usr/local/lib.tar.gz|/u-/local/lib.t-.gz",
  ],
  ['a\\b "a\\b" "\\"\\$\\\\"', 'ab a\\b "$\\'],
  ["$1x ${10} $ $- %", "x  $  %"],
];

Deno.test("expandWord() expands as Docker does", () => {
  for (const [text, result] of EXPANSIONS) assertEquals(expandWord(text, lookup), result, text);
});

Deno.test("expandWord() does not try every way to part a value among several stars", () => {
  const value = "a".repeat(1000);
  const stars = "*a".repeat(30);
  for (const operator of ["#", "##", "%", "%%", "/", "//"]) {
    const end = operator.startsWith("/") ? "/x" : "";
    assertEquals(expandWord(`\${V${operator}${stars}*b${end}}`, () => value), value, operator);
  }
  assertEquals(expandWord(`\${V%%${stars}}`, () => value), "");
  assertEquals(expandWord(`\${V%${stars}}`, () => value), "a".repeat(970));
});

Deno.test("expandWord() refuses what Docker refuses", () => {
  for (
    const text of [
      "${",
      "${}",
      "${:x}",
      "${S",
      "${S:",
      "${S!x}",
      "${S:#x}",
      "'a",
      '"a',
      "${P/x}",
      "${U?}",
    ]
  ) {
    const error = assertThrows(() => expandWord(text, lookup));
    assertEquals((error as Error).name, "ExpansionError", text);
  }
  const error = assertThrows(() => expandWord("${U:?set it}", lookup)) as Error;
  assertEquals(error.message, "U: set it");
});

Deno.test("expandWord() gives back any text in single quotes, and fails only in foreseen ways", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const quoted = text.replaceAll("'", "");
    assertEquals(expandWord(`'${quoted}'`, lookup), quoted);
    try {
      expandWord(text, lookup);
    } catch (error) {
      if (!(error instanceof ExpansionError)) throw error;
    }
  }));
});

Deno.test("expandWords() splits after the expansion, at spaces that are not quoted", () => {
  const values: Readonly<Record<string, string>> = { PORTS: "80 81" };
  assertEquals(expandWords('$PORTS "a b" c\\ d', (name) => values[name]), [
    "80",
    "81",
    "a b",
    "c d",
  ]);
});

Deno.test("splitPairs() reads both forms", () => {
  assertEquals(splitPairs("a=1 b=\"2 3\" c='4 5' d=e\\ f g=", "\\"), [
    { name: "a", value: "1" },
    { name: "b", value: '"2 3"' },
    { name: "c", value: "'4 5'" },
    { name: "d", value: "e\\ f" },
    { name: "g", value: "" },
  ]);
  assertEquals(splitPairs("old  some  value=x", "\\"), [{ name: "old", value: "some  value=x" }]);
});

Deno.test("splitWords() loses no character but the spaces between words", () => {
  fc.assert(fc.property(fc.string().filter((text) => !text.includes("\\")), (text) => {
    assertEquals(splitWords(text, "\\").join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
  }));
});

Deno.test("jsonArray() takes arrays of strings, leaves other text to the shell form", () => {
  assertEquals(jsonArray('["a", "b\\n"]'), ["a", "b\n"]);
  assertEquals(jsonArray("['a']"), undefined);
  assertEquals(jsonArray("[ -f x ] && y"), undefined);
  assertThrows(() => jsonArray('["a", 1]'));
});

Deno.test("leadingJsonArray() gives up on a long array whose commas were forgotten", () => {
  const words = '"-a"  '.repeat(10_000);
  assertEquals(leadingJsonArray(`[ ${words}, $X ]`), undefined);
  assertEquals(leadingJsonArray(`[ ${words} ]`), undefined);
  assertEquals(leadingJsonArray('[ "a" , "b" ] c'), { strings: ["a", "b"], behind: "c" });
});

Deno.test("parseScript() reads lines with long runs of spaces", () => {
  const spaces = " \t".repeat(100_000);
  const { stages } = parseScript(`FROM${spaces}a\nRUN a${spaces}b\r\n`, "Dockerfile");
  assertEquals(stages[0]?.instructions[0]?.args, [`a${spaces}b`]);
});

Deno.test("parseScript() never fails but with a Fault that has a place", () => {
  const word = fc.constantFrom(
    "FROM",
    "COPY",
    "--from=a",
    "a",
    "\\",
    "\n",
    "<<E",
    "E",
    '["x"',
    "]",
    "$",
    "#",
    "ENV",
    "x=y",
    '"',
  );
  fc.assert(fc.property(fc.array(word, { maxLength: 20 }), (words) => {
    try {
      parseScript(words.join(" ").replaceAll(" \n ", "\n"), "Dockerfile");
    } catch (error) {
      const { name, place } = error as { name: string; place?: { line: number } };
      assertEquals(name, "Fault");
      assertEquals(typeof place?.line, "number");
    }
  }));
});
