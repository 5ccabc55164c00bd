/** Repositories whose `.git` a RUN may expect where it mounts a folder of a build context. */

import type { Source } from "../syntax/place.ts";
import { IgnorePatterns, unescapePattern } from "./match.ts";
import { joinPath } from "./options.ts";
import type { Survey } from "./survey.ts";

/**
 * Says of each mounted folder that has a `.git` that it is left out. Where the recipe's inputs name
 * one, or an ignore file hides it, that is known.
 *
 * @param root absolute path of images.ts' folder.
 */
export function hiddenHistory(
  { reads }: Survey,
  inputs: readonly string[],
  { file }: Source,
  root: string,
): string[] {
  if (inputs.some((glob) => glob.split("/").includes(".git"))) return [];
  return [...reads].flatMap(([{ keyword, line }, all]) =>
    all.flatMap(({ folder, pattern }) => {
      const history = joinPath(unescapePattern(pattern), ".git");
      if (keyword !== "RUN" || pattern.split("/").includes(".git")) return [];
      if (new IgnorePatterns(folder.ignore).hides(history)) return [];
      const path = joinPath(folder.path, history);
      if (!isThere(`${root}/${path}`)) return [];
      return [
        `${file}:${line}: ${path} is left out of what RUN mounts: name what it reads in the ` +
        `recipe's inputs ("${path}/**" for all of it), or hide .git by an ignore file`,
      ];
    })
  );
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
