/**
 * What Starlark files name: the files they load, and labels in their strings. Bazel tells which .bzl
 * files a query's packages load, but not which package loads which.
 */

import { type Label, parseLabel } from "../bazel/label.ts";

/** The first argument of load() is always a literal; a comment may stand before it. */
const LOAD =
  /(?:^|[\n;])[ \t]*load\s*\(\s*(?:#[^\n]*\n\s*)*[rR]?("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/g;

/** Comments are matched too, so that a quote in one opens no string. */
const STRING = /#[^\n]*|[rR]?("""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/g;

/** Labels of the files that a Starlark file loads. */
export function loadsOf(text: string, from: Label): Label[] {
  return [...text.matchAll(LOAD)].flatMap(([, literal = ""]) =>
    parseLabel(unquoted(literal), from) ?? []
  );
}

/** The strings of a Starlark file, as far as they are on one line. */
export function stringsOf(text: string): string[] {
  return [...text.matchAll(STRING)].flatMap(([, literal]) =>
    literal === undefined || /^("""|''')/.test(literal) ? [] : [unquoted(literal)]
  );
}

function unquoted(literal: string): string {
  return literal.slice(1, -1).replace(/\\(["'\\])/g, "$1");
}
