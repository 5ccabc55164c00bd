/** Mutable tags: from what a recipe says to what is written. */

import { usageFault } from "../../model/errors.ts";
import { isCacheTag } from "../../model/key.ts";
import { isTag } from "../../model/reference.ts";
import type { GitFacts } from "./git_facts.ts";

/** Longest tag, as registries allow it. */
const TAG_LENGTH = 128;

const PLACEHOLDER = /\{(revision|branch|git-tag)\}/g;

/** Says whether a tag hangs on git or CI. */
export function hasPlaceholder(tag: string): boolean {
  return tag.search(PLACEHOLDER) >= 0;
}

/**
 * Fills in `{revision}`, `{branch}` and `{git-tag}`, made valid as tags; a tag that comes out empty,
 * or of which a part is not known, is left out.
 *
 * @throws {Fault} when one comes out as a tag of the cache's own.
 */
export function fillInTags(tags: readonly string[], facts: GitFacts): string[] {
  const values: Record<string, string | undefined> = {
    revision: facts.revision,
    branch: facts.branch,
    "git-tag": facts.tag,
  };
  const filled = tags.map((tag) => {
    let known = true;
    const text = tag.replace(PLACEHOLDER, (_, name: string) => {
      known &&= Boolean(values[name]);
      return validPart(values[name] ?? "");
    });
    const valid = known ? text.replace(/^[.-]+/, "").slice(0, TAG_LENGTH) : "";
    if (!isCacheTag(valid)) return valid;
    throw usageFault(`The tag "${tag}" comes out as ${valid}, which is a tag of the cache's own`, {
      next: 'put something in front of it, as in "branch-{branch}"',
    });
  });
  return [...new Set(filled.filter((tag) => tag !== ""))];
}

/** Checks tags from the command line. @throws {Fault} when one cannot be a tag. */
export function checkTags(tags: readonly string[]): void {
  for (const tag of tags) {
    if (isTag(tag) && !isCacheTag(tag)) continue;
    throw usageFault(`"${tag}" cannot be a mutable tag`, {
      next:
        "use letters, digits, _ . and -, and not content-… or source-…, which are the cache's own",
    });
  }
}

function validPart(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]+/g, "-");
}
