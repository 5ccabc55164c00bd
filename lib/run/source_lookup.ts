/**
 * Images whose key only a tool can make, found by what their sources are: where the tool is missing,
 * or would have to be started only to say which image it is.
 */

import { SOURCE_TAG_PREFIX } from "../model/key.ts";
import {
  evaluateImage,
  hasResult,
  type ImageEvaluation,
  preparedByResult,
  preparedBySource,
  type PreparedImage,
  type SettledNeeds,
} from "../plan/evaluate_image.ts";
import { sourceKeyToRead } from "../plan/source_key.ts";
import type { ImageRecord } from "../store/records.ts";
import { remoteRecord } from "./remote_record.ts";
import type { Session } from "./session.ts";

/** What looking an image up by its sources came to. */
export interface SourceLookup {
  /** The image, if one was found. */
  readonly evaluation?: ImageEvaluation;
  /** What was looked for in vain, as the end of a sentence. */
  readonly lookedFor?: string;
}

/**
 * Looks for the result of an image that has no identity yet.
 *
 * @param hasTool whether the tool could be asked: it is, where it has been before.
 */
export async function findBySource(
  session: Session,
  prepared: PreparedImage,
  needs: SettledNeeds,
  hasTool: boolean,
): Promise<SourceLookup> {
  const { circumstances: c, registries, settings } = session;
  const { node: { id, image }, record } = prepared;
  if (c.forced.has(id) || (hasTool && record !== undefined)) return {};
  const sourceKey = await sourceKeyToRead(c, prepared, needs);
  if (sourceKey === undefined) return {};
  const earlier = hasTool ? undefined : earlierResult(session, prepared, sourceKey);
  if (earlier !== undefined) {
    const again = await preparedByResult(c, prepared, earlier);
    const evaluation = await evaluateImage(c, again, needs, earlier.parts);
    if (evaluation.current !== undefined) return { evaluation };
  }
  const found = await registries.findSource(image, sourceKey);
  if (found === undefined) {
    const tag = `${SOURCE_TAG_PREFIX}${sourceKey.slice(0, 32)}`;
    const hosts = registries.answering(image);
    const holds = hosts.length > 1 ? "hold" : "holds";
    return settings.remote && hosts.length > 0
      ? { lookedFor: `${hosts.join(" and ")} ${holds} no ${tag} of it` }
      : { lookedFor: `no registry could be asked for ${tag}` };
  }
  const known = await preparedBySource(c, prepared, sourceKey);
  const { reasons, ...own } = await evaluateImage(c, known, needs, { bases: {} });
  const evaluation = { ...own, reasons, key: found.key, current: undefined };
  const published = remoteRecord(evaluation, found.named, found.found, found.manifest);
  return { evaluation: { ...evaluation, found: { ...published, sourceKey } } };
}

function earlierResult(
  { circumstances: c }: Session,
  { node: { image, platform } }: PreparedImage,
  sourceKey: string,
): ImageRecord | undefined {
  for (const past of c.records.imageHistory(image.name, platform)) {
    if (past.sourceKey === sourceKey && hasResult(c, past)) return past;
  }
  return undefined;
}
