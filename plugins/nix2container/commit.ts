/**
 * Whether an evaluation may give something else although no file that git tracks has changed. Of a
 * work tree without changes Nix reads the commit, of another one the files that the index names.
 */

import {
  attributesFile,
  configFiles,
  type Repository,
  type TrackedFiles,
} from "../../lib/files/git_index.ts";
import type { Selection } from "../../lib/model/selection.ts";
import { convertsByAttributes, convertsByConfig, userConverts } from "./git_settings.ts";
import { mentions } from "./mentions.ts";

/** What a flake learns about the commit it is at; a value of one of these changes with the commit. */
const REVISION =
  /\b(?:(?:short|dirty|dirtyShort)Rev|rev|revCount|lastModified(?:Date)?|sourceInfo)\b/;

/** The files that {@link changesWithCommit} reads, of those git tracks. */
export const COMMIT_READS: Selection["include"] = ["**/*.nix", "**/.gitattributes"];

/**
 * Whether commit and index decide what an evaluation sees, beside the files of the work tree: a Nix
 * file names something that another commit changes, or a commit can hold other files than a work
 * tree in which git sees no change.
 *
 * @param tracked what git tracks in it; undefined where that is not known.
 */
export function changesWithCommit(
  repository: Repository,
  tracked: TrackedFiles | undefined,
): boolean {
  // A submodule is an empty folder in a commit, and nothing in a work tree with changes.
  if (tracked === undefined || tracked.unwatched || tracked.submodules.length > 0) return true;
  if (userConverts() || configFiles(repository).some(convertsByConfig)) return true;
  // Git follows the one at the top even where it does not track it.
  const attributes = [attributesFile(repository), `${repository.top}/.gitattributes`];
  return attributes.some(convertsByAttributes) || tracked.files.some((path) => {
    if (path.endsWith(".nix")) return mentions(`${repository.top}/${path}`, REVISION);
    return path.endsWith("/.gitattributes") && convertsByAttributes(`${repository.top}/${path}`);
  });
}
