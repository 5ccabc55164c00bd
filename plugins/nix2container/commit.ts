/** Whether an evaluation may give something else at another commit of the same files. */

import { attributesFile, type Repository, type TrackedFiles } from "../../lib/files/git_index.ts";
import type { Selection } from "../../lib/model/selection.ts";
import { mentions } from "./mentions.ts";

/** What a flake learns about the commit it is at; a value of one of these changes with the commit. */
const REVISION =
  /\b(?:(?:short|dirty|dirtyShort)Rev|rev|revCount|lastModified(?:Date)?|sourceInfo)\b/;

/** Attributes by which a commit holds other files than the work tree it was made from. */
const EXPORT = /\bexport-(?:subst|ignore)\b/;

/** The files that {@link changesWithCommit} reads, of those git tracks. */
export const COMMIT_READS: Selection["include"] = ["**/*.nix", "**/.gitattributes"];

/**
 * Says whether a Nix file of a repository names something that another commit changes, or its files
 * in a commit are others than in the work tree: of a work tree without changes Nix reads the commit.
 *
 * @param tracked what git tracks in it; undefined where that is not known.
 */
export function changesWithCommit(
  repository: Repository,
  tracked: TrackedFiles | undefined,
): boolean {
  if (tracked === undefined || tracked.unwatched) return true;
  return mentions(attributesFile(repository), EXPORT) || tracked.files.some((path) => {
    if (path.endsWith(".nix")) return mentions(`${repository.top}/${path}`, REVISION);
    return /(?:^|\/)\.gitattributes$/.test(path) && mentions(`${repository.top}/${path}`, EXPORT);
  });
}
