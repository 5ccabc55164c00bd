/** What a .dockerignore hides. */

import dockerignore from "@balena/dockerignore";

/**
 * Compiles its lines; `partly` says whether some may show again what others hide.
 */
export function ignoreOf(
  lines: readonly string[],
): { readonly hides: (path: string) => boolean; readonly partly: boolean } {
  const matcher = dockerignore.default({ ignorecase: false }).add([...lines]);
  const partly = lines.some((line) => line.trimStart().startsWith("!"));
  return { hides: (path) => matcher.ignores(path), partly };
}
