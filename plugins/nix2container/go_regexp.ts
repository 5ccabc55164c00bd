/**
 * Regular expressions as nix2container applies them: Go's `regexp` on bytes. The RE2 syntax
 * (`(?i)`, `(?P<name>…)`, `\z`, `[[:alpha:]]`, no backtracking) comes from the RE2JS port; the
 * replacing loop and the expansion of `$1` are Go's.
 *
 * @see https://pkg.go.dev/regexp#Regexp.Expand
 */

import { RE2JS } from "re2js";
import { Fault } from "../../lib/model/errors.ts";

/** A compiled expression. Paths are strings as byte_paths.ts makes them. */
export interface GoRegexp {
  /** Says whether it matches anywhere. */
  test(text: string): boolean;
  /** Replaces every match by the expanded template. */
  replaceAll(text: string, template: string): string;
}

/**
 * Compiles an expression.
 *
 * @throws {Fault} when Go would not compile it either.
 */
export function compileGoRegexp(expression: string, where: string): GoRegexp {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(expression);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new Fault(`Cannot read the regular expression "${expression}": ${detail}`, {
      where,
      next: "correct the rewrite or perms rule of the Nix expression; the syntax is RE2's",
      cause,
    });
  }
  return {
    test: (text) => compiled.matcher(text.toWellFormed()).find(),
    replaceAll: (text, template) => replaceAll(compiled, text, template),
  };
}

function replaceAll(compiled: RE2JS, text: string, template: string): string {
  // A byte that is no UTF-8 is U+FFFD to an expression: one unit for another, so places stay.
  const matcher = compiled.matcher(text.toWellFormed());
  let result = "";
  let end = 0;
  for (let from = 0; from <= text.length && matcher.find(from);) {
    const [start, stop] = [matcher.start(), matcher.end()];
    result += text.slice(end, start);
    // Go takes no empty match right after another match.
    if (stop > end || start === 0) {
      const names = compiled.namedGroups() as Readonly<Record<string, number>>;
      const count = matcher.groupCount();
      const group = (at: number) =>
        at > count || matcher.start(at) < 0 ? "" : text.slice(matcher.start(at), matcher.end(at));
      result += expand(template, group, names);
    }
    end = stop;
    const width = (text.codePointAt(from) ?? 0) > 0xffff ? 2 : 1;
    from = from + width > stop ? from + width : stop;
  }
  return result + text.slice(end);
}

/** `$name`, `${name}` and `$$`; a name is as long as it can be, and an unknown one is empty. */
function expand(
  template: string,
  group: (at: number) => string,
  names: Readonly<Record<string, number>>,
): string {
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (whole, braced: string | undefined, bare: string | undefined) => {
      if (whole === "$$") return "$";
      const name = braced ?? bare ?? "";
      if (/^(?:0|[1-9][0-9]{0,7})$/.test(name)) return group(Number(name));
      const at = names[name];
      return at === undefined ? "" : group(at);
    },
  );
}
