/**
 * Patterns over paths: those of COPY and ADD, and those of .dockerignore and `--exclude` (the same
 * with `**`, exceptions, and everything below a match).
 *
 * @see https://docs.docker.com/build/concepts/context/#syntax
 */

export { cleanPattern, IgnorePatterns, readIgnoreFile } from "../../../lib/files/docker_ignore.ts";
export { goMatcher } from "../../../lib/files/go_pattern.ts";

/** Says whether a path component or path holds a wildcard of Go's that is not escaped. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\*?[]|\\[^])*[*?[]/.test(pattern);
}

/** Removes the escapes of a pattern without wildcards. */
export function unescapePattern(pattern: string): string {
  return pattern.replace(/\\([^])/g, "$1");
}

/** Writes a path as a pattern that matches only itself. */
export function escapePattern(path: string): string {
  return path.replace(/[\\*?[\]]/g, "\\$&");
}

/**
 * A line of an ignore file as one for the folder around the one that it is written for.
 *
 * @param folder pattern of Go's; empty where the two are one.
 */
export function patternBelow(folder: string, line: string): string {
  if (folder === "") return line;
  const sign = line.startsWith("!") ? "!" : "";
  const body = line.slice(sign.length);
  // At the very beginning two stars in front of a name are the beginning of it too.
  const ending = /^\*\*([^*?[\]\\/][^*?[\]\\]*)$/.exec(body)?.[1];
  // Two stars are one in a pattern of Go's.
  const single = folder.replace(/(\\[^])|\*+/g, (_, escaped?: string) => escaped ?? "*");
  return `${sign}${single}/${ending === undefined ? body : `**/*${ending}`}`;
}
