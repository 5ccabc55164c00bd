/** Publishing what was settled: all content first, then the mutable tags. */

import { asFault, Fault } from "../../model/errors.ts";
import type { Image } from "../../model/recipe.ts";
import type { DestinationResult } from "../../model/result.ts";
import { type ContentOutcome, publishContent } from "../../registry/publish/content.ts";
import { isAllowed } from "../../registry/publish/destination.ts";
import { writeSourceTag } from "../../registry/publish/source_tags.ts";
import type { Target } from "../../registry/publish/target.ts";
import { partsOf, targetImages } from "../published.ts";
import type { Outcome } from "../results.ts";
import type { Session } from "../session.ts";
import { adopt, mergeOutcomes } from "./adoption.ts";
import { tagsOf } from "./facts.ts";
import { isReady, itemOf, type Ready } from "./items.ts";
import { Places } from "./places.ts";
import { refusePrivateLayers } from "./private_bases.ts";
import { letOthersFinish, settleRaces } from "./races.ts";
import type { PushRequest } from "./request.ts";
import { contentResult, idOf, PushResults, repositoryResult, tagResults } from "./results.ts";
import { moveTags, settleTags } from "./tags.ts";

/** An image whose content is published, on its way to its tags. */
export interface PublishedContent {
  readonly image: Image;
  readonly parts: readonly Ready[];
  readonly target: Target;
  readonly content: ContentOutcome;
}

/** What all steps of one push share. */
interface Push {
  readonly session: Session;
  readonly request: PushRequest;
  readonly places: Places;
  readonly results: PushResults;
}

/**
 * Publishes the targets among what was settled.
 *
 * @param again settles everything once more: after an adoption, for what needs the adopted images.
 */
export async function publish(
  session: Session,
  outcome: Outcome,
  request: PushRequest,
  again: () => Promise<Outcome>,
): Promise<Outcome> {
  await using places = new Places(session);
  const push: Push = { session, request, places, results: new PushResults(session) };
  const images = targetImages(session).filter((image) => mayGo(push, image, outcome));
  const published = new Map<Image, PublishedContent>();
  let latest = outcome;
  let complete: boolean;
  for (;;) {
    await refusePrivateLayers(session, latest, images, request);
    complete = await publishAll(push, images, latest, published);
    const adopted = adopt(session, [...published.values()], latest);
    latest = adopted.outcome;
    if (!complete || !adopted.touchesOthers) break;
    latest = mergeOutcomes(latest, await again());
  }
  await finish(push, [...published.values()], complete);
  const { destinations, faults } = push.results;
  return { ...latest, destinations, faults };
}

/** Says whether an image's recipe lets it go there; of others the result is known. */
function mayGo({ request, results }: Push, image: Image, outcome: Outcome): boolean {
  if (isAllowed(image, request.destination.name)) return true;
  const id = idOf(image, partsOf(outcome, image));
  const why = "its recipe does not name this registry";
  results.add(id, [repositoryResult(image, request, "skipped", why)]);
  return false;
}

/** Publishes every image that is not yet; says whether all are. */
async function publishAll(
  push: Push,
  images: readonly Image[],
  outcome: Outcome,
  published: Map<Image, PublishedContent>,
): Promise<boolean> {
  const { session } = push;
  let complete = true;
  const fresh = new Map<Image, PublishedContent>();
  await Promise.all(images.map(async (image) => {
    const parts = partsOf(outcome, image);
    if (!parts.every(isReady)) {
      // Without targets, what this machine cannot build is left to others.
      const left = !session.targets.strict && parts.some((part) => part.status === "unavailable");
      complete &&= left;
      return;
    }
    const before = published.get(image);
    if (before !== undefined && parts.every(({ key }, at) => before.parts[at]?.key === key)) return;
    const done = await publishOne(push, image, parts);
    if (done === undefined) complete = false;
    else fresh.set(image, done);
  }));
  const settled = complete ? await settleRaces(session, [...fresh.values()]) : fresh.values();
  for (const each of settled) published.set(each.image, each);
  return complete;
}

/** Publishes one image; undefined where that failed or something else had. */
async function publishOne(
  { session, request, places, results }: Push,
  image: Image,
  parts: readonly Ready[],
): Promise<PublishedContent | undefined> {
  const id = idOf(image, parts);
  try {
    session.signal.throwIfAborted();
    session.emit({ kind: "started", id, phase: "publishing" });
    const target = await places.target(request.destination, image);
    const item = await itemOf(session, image, parts, request);
    const sources = await places.sources(request.destination, image);
    const content = await publishContent(item, target, sources, session.settings.force);
    return { image, parts, target, content };
  } catch (error) {
    if (session.signal.aborted) {
      const { reason } = session.signal;
      const interrupted = !(reason instanceof Fault) || reason.kind === "interrupted";
      const why = interrupted ? "interrupted" : "something else failed";
      results.add(id, [repositoryResult(image, request, "skipped", why)]);
      return undefined;
    }
    const fault = asFault(error, { where: image.name });
    results.fail(id, [repositoryResult(image, request, "failed", fault.message)], fault);
    if (!session.keepGoing) session.stop(fault);
    return undefined;
  }
}

/** Moves the mutable tags, where everything is there, and tells what became of each image. */
async function finish(
  { session, request, results }: Push,
  published: readonly PublishedContent[],
  complete: boolean,
): Promise<void> {
  const moves = await Promise.all(published.map(async (each) => {
    const { image, target, content } = each;
    await writeSourceTags(session, each);
    const move = { image, target, top: content.top.published, dryRun: false };
    if (complete) return { each, move, tags: await moveTags(session, move, request) };
    return { each, move, tags: { results: await unmovedTags(session, each, request), ms: 0 } };
  }));
  const moved = moves.filter(({ tags }) => tags.results.some((tag) => tag.status === "retagged"));
  if (moved.length > 0) await letOthersFinish(Math.max(...moved.map(({ tags }) => tags.ms)));
  await Promise.all(moves.map(async ({ each, move, tags }) => {
    const { image, parts, target, content } = each;
    const id = idOf(image, parts);
    if (parts.length > 1) {
      for (const part of parts) {
        const tagged = content.parts.get(part.node.platform);
        if (tagged !== undefined) results.add(part.node.id, [contentResult(target, tagged)]);
      }
    }
    const all = [contentResult(target, content.top), ...await settleTags(session, move, tags)];
    if (tags.fault === undefined) results.add(id, all);
    else results.fail(id, all, tags.fault);
  }));
}

/** Lets source tags name what was published; without them others need a tool to find it. */
async function writeSourceTags(
  session: Session,
  { parts, target, content }: PublishedContent,
): Promise<void> {
  await Promise.all(parts.map(async ({ node: { id, platform }, record: { sourceKey } }) => {
    const tagged = content.parts.get(platform);
    if (sourceKey === undefined || tagged === undefined) return;
    try {
      await writeSourceTag(target, sourceKey, tagged.published, session.settings.force);
    } catch (error) {
      if (session.signal.aborted) return;
      session.notice(`Its source tag could not be written: ${asFault(error).message}`, id);
    }
  }));
}

async function unmovedTags(
  session: Session,
  { image, target }: PublishedContent,
  request: PushRequest,
): Promise<DestinationResult[]> {
  const tags = await tagsOf(session, image, request);
  return tagResults(target, tags, "skipped", "not everything was published");
}
