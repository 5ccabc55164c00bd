/** Settled images as they are handed to lib/registry/publish. */

import type { Image } from "../../model/recipe.ts";
import type { ContentItem, PlatformPart } from "../../registry/publish/content.ts";
import { gitAnnotations } from "../../registry/publish/git_facts.ts";
import { VERDICT_ANNOTATION } from "../../registry/publish/lookup.ts";
import { countsAsPublic } from "../../registry/publish/visibility.ts";
import type { ImageRecord } from "../../store/records.ts";
import { topKeyOf } from "../indexes.ts";
import { localImage } from "../local_image.ts";
import type { Session } from "../session.ts";
import type { SettledImage } from "../settled.ts";
import { verdictOf, verifyImage } from "../verify.ts";
import { factsOf, tagsOf } from "./facts.ts";
import { basesNote } from "./noted_bases.ts";
import { ownMeans } from "./own_means.ts";
import type { PushRequest } from "./request.ts";

/** A settled platform of an image: its key and record are there. */
export type Ready = SettledImage & { readonly key: string; readonly record: ImageRecord };

/** Says whether a platform is there to be published. */
export function isReady(part: SettledImage): part is Ready {
  return part.key !== undefined && part.record !== undefined;
}

/**
 * An image as it is to be published.
 *
 * @throws {Fault} when it is not what its recipe expects.
 */
export async function itemOf(
  session: Session,
  image: Image,
  ready: readonly Ready[],
  request: PushRequest,
): Promise<ContentItem> {
  const parts: PlatformPart[] = [];
  for (const part of ready) parts.push(await platformPart(session, image, part, request));
  const wanted = session.circumstances.project.gitAnnotations;
  const publish = await ownMeans(session, image, request);
  return {
    parts,
    ...(publish === undefined ? {} : { publish }),
    ...(parts.length === 1 ? {} : { indexKey: await topKeyOf(ready) }),
    annotations: image.common.annotations,
    topAnnotations: async () => wanted ? gitAnnotations(await factsOf(session)) : {},
    formerTags: async () => [...new Set([...await tagsOf(session, image, request), "latest"])],
  };
}

async function platformPart(
  session: Session,
  image: Image,
  part: Ready,
  { destination }: PushRequest,
): Promise<PlatformPart> {
  const { key, record, node: { id, platform } } = part;
  const open = () => localImage(session, record);
  await verifyImage(session, image, record.imageId, open, record.verdict);
  const verdict = await verdictOf(image, record.imageId);
  let done = 0;
  return {
    platform,
    key,
    ...(record.listing === undefined ? {} : { listing: record.listing }),
    annotations: {
      ...(verdict === undefined ? {} : { [VERDICT_ANNOTATION]: verdict }),
      ...(countsAsPublic(destination) ? {} : await basesNote(part)),
    },
    open,
    onBytes: (bytes) => {
      done += bytes;
      session.progress(id, { phase: "uploading", done, unit: "bytes" });
    },
  };
}
