/** The mutable tags of published images. */

import { asFault, type Fault } from "../../model/errors.ts";
import type { DestinationResult } from "../../model/result.ts";
import { moveTag, settleTag } from "../../registry/publish/mutable_tags.ts";
import { referenceOf, type Target } from "../../registry/publish/target.ts";
import type { Session } from "../session.ts";
import { movePolicy, tagsOf, whyNoTagMoves } from "./facts.ts";
import type { Image } from "../../model/recipe.ts";
import type { Published } from "../../registry/publish/lookup.ts";
import type { PushRequest } from "./request.ts";
import { tagResults } from "./results.ts";

/** What became of an image's mutable tags. */
export interface MovedTags {
  readonly results: readonly DestinationResult[];
  /** Why one did not move that should have. */
  readonly fault?: Fault;
  /** How long the slowest took from the look at it to the registry's answer, in milliseconds. */
  readonly ms: number;
}

/** What mutable tags are moved to, and whether at all. */
export interface TagMove {
  readonly image: Image;
  readonly target: Target;
  /** What they are to stand for; undefined in a dry run, of what is not there yet. */
  readonly top: Published | undefined;
  /** Only says what would become of them. */
  readonly dryRun: boolean;
}

/** Moves an image's mutable tags. */
export async function moveTags(
  session: Session,
  { image, target, top, dryRun }: TagMove,
  request: PushRequest,
): Promise<MovedTags> {
  const tags = await tagsOf(session, image, request);
  const why = whyNoTagMoves(session, image, request);
  if (why !== undefined) return { results: tagResults(target, tags, "skipped", why), ms: 0 };
  const policy = movePolicy(session, dryRun);
  const results: DestinationResult[] = [];
  let ms = 0;
  for (const tag of tags) {
    const begun = performance.now();
    try {
      results.push(await moveTag(target, tag, top, policy));
    } catch (error) {
      const fault = asFault(error, { where: referenceOf(target, tag) });
      results.push(...tagResults(target, tags.slice(results.length), "failed", fault.message));
      return { results, fault, ms };
    }
    ms = Math.max(ms, performance.now() - begun);
  }
  return { results, ms };
}

/** Looks again at the tags of an image that were moved; answers with what became of all of them. */
export async function settleTags(
  session: Session,
  { target, top }: TagMove,
  { results }: MovedTags,
): Promise<DestinationResult[]> {
  const policy = movePolicy(session, false);
  return await Promise.all(results.map(async (result): Promise<DestinationResult> => {
    if (result.status !== "retagged" || top === undefined || policy.force) return result;
    const tag = result.reference.slice(referenceOf(target, "").length);
    const newer = await settleTag(target, tag, top, policy);
    return newer === undefined ? result : { ...result, status: "skipped", detail: newer };
  }));
}
