/** What a push would do: content by what is there, tags by what they stand for. */

import type { Image } from "../../model/recipe.ts";
import type { DestinationResult } from "../../model/result.ts";
import { previewContent } from "../../registry/publish/content.ts";
import { isAllowed } from "../../registry/publish/destination.ts";
import { tagToWrite } from "../../registry/publish/lookup.ts";
import { referenceOf } from "../../registry/publish/target.ts";
import { topKeyOf } from "../indexes.ts";
import { partsOf, targetImages } from "../published.ts";
import type { Outcome } from "../results.ts";
import type { Session } from "../session.ts";
import { isKeyed, type SettledImage } from "../settled.ts";
import { refusePrivateLayers } from "./private_bases.ts";
import { Places } from "./places.ts";
import type { PushRequest } from "./request.ts";
import { contentResult, idOf, PushResults, repositoryResult } from "./results.ts";
import { moveTags } from "./tags.ts";

/** Says for each target what a push would do, and changes nothing. */
export async function preview(
  session: Session,
  outcome: Outcome,
  request: PushRequest,
): Promise<Outcome> {
  await refusePrivateLayers(session, outcome, targetImages(session), request);
  await using places = new Places(session);
  const results = new PushResults(session);
  for (const image of targetImages(session)) {
    const parts = partsOf(outcome, image);
    const id = idOf(image, parts);
    const blocked = blockedResult(image, parts, request);
    const fault = parts.find((part) => part.fault !== undefined)?.fault;
    if (blocked === undefined) {
      results.add(id, await previewImage(session, image, parts, request, places));
    } else if (fault !== undefined && blocked.status === "failed") {
      results.fail(id, [blocked], fault);
    } else results.add(id, [blocked]);
  }
  return { ...outcome, destinations: results.destinations };
}

/** The result of an image of which no tag can be told. */
function blockedResult(
  image: Image,
  parts: readonly SettledImage[],
  request: PushRequest,
): DestinationResult | undefined {
  const { name } = request.destination;
  if (!isAllowed(image, name)) {
    return repositoryResult(image, request, "skipped", "its recipe does not name this registry");
  }
  if (parts.some(({ verdict }) => verdict === "unavailable")) {
    return repositoryResult(image, request, "skipped", "its tool is missing here");
  }
  const failed = parts.find(({ fault }) => fault !== undefined);
  if (failed !== undefined) {
    return repositoryResult(image, request, "failed", failed.fault!.message);
  }
  if (parts.every(isKeyed)) return undefined;
  return repositoryResult(image, request, "pushed", "under a key that hangs on what it needs");
}

async function previewImage(
  session: Session,
  image: Image,
  parts: readonly SettledImage[],
  request: PushRequest,
  places: Places,
): Promise<DestinationResult[]> {
  const key = await topKeyOf(parts as readonly (SettledImage & { readonly key: string })[]);
  const target = await places.target(request.destination, image);
  const sources = await places.sources(request.destination, image);
  const { status, there } = await previewContent(key, target, sources, session.settings.force);
  const move = { image, target, top: there, dryRun: true };
  const { results } = await moveTags(session, move, request);
  if (there !== undefined) {
    return [contentResult(target, { status, published: there }), ...results];
  }
  const reference = referenceOf(target, tagToWrite(key, target.rules));
  return [{ registry: target.registry, reference, status }, ...results];
}
