/** What git and CI say, asked once a run and only when something hangs on it. */

import type { Image } from "../../model/recipe.ts";
import {
  ciSystem,
  githubDefaultBranch,
  isPullRequest,
  mayMoveTags,
} from "../../registry/publish/ci.ts";
import {
  ancestryOf,
  fetchCommits,
  type GitFacts,
  gitFacts,
  revisionOf,
} from "../../registry/publish/git_facts.ts";
import type { MovePolicy } from "../../registry/publish/mutable_tags.ts";
import { fillInTags, hasPlaceholder } from "../../registry/publish/tags.ts";
import type { Session } from "../session.ts";
import type { PushRequest } from "./request.ts";

/** What is known of the checkout. */
export function factsOf(session: Session): Promise<GitFacts> {
  const { root } = session.circumstances.project;
  return session.once("git facts", () => gitFacts(root, Deno.env.toObject()));
}

/** The mutable tags of an image in this push. */
export async function tagsOf(
  session: Session,
  image: Image,
  request: PushRequest,
): Promise<string[]> {
  const tags = request.tags.length > 0 ? request.tags : image.common.tags;
  return fillInTags(tags, tags.some(hasPlaceholder) ? await factsOf(session) : {});
}

/** What decides whether mutable tags move. */
export function movePolicy(session: Session, dryRun: boolean): MovePolicy {
  const { root, gitAnnotations } = session.circumstances.project;
  const fetchOnce = () => session.once("commits", () => fetchCommits(root, session.signal));
  return {
    revision: () => session.once("revision", () => revisionOf(root, Deno.env.toObject())),
    notes: gitAnnotations,
    force: session.settings.force,
    dryRun,
    ancestry: (candidate, ours) =>
      session.once(
        `ancestry ${candidate} ${ours}`,
        () => ancestryOf(root, candidate, ours, fetchOnce),
      ),
    notice: (message) => session.notice(message),
  };
}

/** Why this job moves no mutable tag of an image that was not named; undefined where it does. */
export function whyNoTagMoves(
  { settings: { platform } }: Session,
  { common: { platforms } }: Image,
  { tags }: PushRequest,
): string | undefined {
  const env = Deno.env.toObject();
  if (tags.length > 0) return undefined;
  if (platform !== undefined && platforms.length > 1) {
    return `it stands for ${
      platforms.join(" and ")
    }, and this is ${platform} alone; --tag names one`;
  }
  if (isPullRequest(env)) return "a pull request moves no mutable tag; --tag names one";
  const branch = ciSystem(env) === "github" ? githubDefaultBranch(env) : undefined;
  if (mayMoveTags(env, branch)) return undefined;
  return "mutable tags move on the default branch or for a tag; --tag names one";
}
