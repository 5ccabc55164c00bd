/**
 * Patterns over paths: those of COPY and ADD, and those of .dockerignore and `--exclude` (the same
 * with `**`, exceptions, and everything below a match).
 *
 * @see https://docs.docker.com/build/concepts/context/#syntax
 */

export { IgnorePatterns, readIgnoreFile } from "../../../lib/files/docker_ignore.ts";
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
