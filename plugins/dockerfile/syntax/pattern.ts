/**
 * The patterns of `${x#p}`, `${x%p}` and `${x/p/r}`: `*` and `?`, a backslash takes either
 * literally; there are no bracket expressions.
 */

/** The value without the shortest (or longest) beginning that matches. */
export function removePrefix(value: string, pattern: string, longest: boolean): string {
  const match = new RegExp(`^${toRegExp(pattern, longest)}`, "su").exec(value);
  return match === null ? value : value.slice(match[0].length);
}

/** The value without the shortest (or longest) ending that matches. */
export function removeSuffix(value: string, pattern: string, longest: boolean): string {
  const end = new RegExp(`^${toRegExp(pattern, true)}$`, "su");
  const starts = [...value.matchAll(/(?:)/gu)].map((match) => match.index);
  const found = (longest ? starts : starts.reverse()).find((start) => end.test(value.slice(start)));
  return found === undefined ? value : value.slice(0, found);
}

/** The value with the first match (or all of them) replaced; matches are as long as can be. */
export function replacePattern(
  value: string,
  pattern: string,
  replacement: string,
  all: boolean,
): string {
  let end = -1;
  return value.replace(new RegExp(toRegExp(pattern, true), all ? "gsu" : "su"), (match, at) => {
    // As in Go, nothing is matched once more right behind a match.
    const replaced = match === "" && at === end ? "" : replacement;
    end = at + match.length;
    return replaced;
  });
}

function toRegExp(pattern: string, longest: boolean): string {
  let out = "";
  const chars = [...pattern];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === "*") out += longest ? ".*" : ".*?";
    else if (char === "?") out += ".";
    else if (char !== "\\") out += char.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
    else {
      const escaped = chars[++at];
      if (escaped === "}" || escaped === "/") out += `\\${escaped}`;
      else if (escaped === "*" || escaped === "?" || escaped === "\\") out += `\\${escaped}`;
      else throw new Error(`The escape "\\${escaped ?? ""}" in the pattern is not supported`);
    }
  }
  return out;
}
