/**
 * Two runs may both find a content tag missing and both write it. The registry keeps the last; a
 * moment later each of them reads it again, and goes on with what is there then.
 */

import {
  annotationsOf,
  KEY_ANNOTATION,
  lookUp,
  readTag,
  tagToWrite,
} from "../../registry/publish/lookup.ts";
import { unlessDenied } from "../../registry/faults.ts";
import type { Tagged } from "../../registry/publish/target.ts";
import { formatPlatform } from "../../model/platform.ts";
import { topKeyOf } from "../indexes.ts";
import type { Session } from "../session.ts";
import type { PublishedContent } from "./publish.ts";
import { idOf } from "./results.ts";

/** The least time given to others, in milliseconds. */
const LEAST_WAIT = 50;

/** How much slower than we another run may be. */
const SLOWER = 4;

/** Waits until another run that began as early as we has written what it was about to write. */
export async function letOthersFinish(slowest: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(LEAST_WAIT, SLOWER * slowest)));
}

/** Looks again at what was written, and goes on with what is there. */
export async function settleRaces(
  session: Session,
  published: readonly PublishedContent[],
): Promise<PublishedContent[]> {
  const slowest = Math.max(
    ...published.flatMap(({ content: { top, parts } }) =>
      [top, ...parts.values()].map(({ ms = -1 }) => ms)
    ),
  );
  if (slowest < 0) return [...published];
  await letOthersFinish(slowest);
  return await Promise.all(published.map(async (each) => {
    if (each.content.top.ms === undefined) return each;
    const settled = await lookAgain(each);
    if (settled === each) return each;
    const id = idOf(each.image, each.parts);
    session.notice("Another run published it at the same moment; that image counts", id);
    return settled;
  }));
}

/** The same, or with what another run wrote. */
async function lookAgain(each: PublishedContent): Promise<PublishedContent> {
  const { target: { client, repository, rules }, content, parts } = each;
  const key = await topKeyOf(parts);
  const now = await unlessDenied(lookUp(client, repository, key, rules));
  if (now === undefined) return each;
  if (now.index !== undefined) await alignPlatforms(each, now.index.manifests.map((m) => m.digest));
  if (now.descriptor.digest === content.top.published.descriptor.digest) return each;
  const top: Tagged = { status: "current", published: now };
  if (now.index === undefined) {
    const [only] = parts;
    return { ...each, content: { top, parts: new Map([[only!.node.platform, top]]) } };
  }
  const children = new Map<string, Tagged>();
  for (const { digest, platform } of now.index.manifests) {
    const published = await readTag(client, repository, digest);
    if (published === undefined || platform === undefined) continue;
    const part = parts.find(({ key }) => key === annotationsOf(published)[KEY_ANNOTATION]);
    const tag = part === undefined ? digest : tagToWrite(part.key, rules);
    children.set(formatPlatform(platform), { status: "current", published: { ...published, tag } });
  }
  return { ...each, content: { top, parts: children } };
}

/** The content tags of the platforms stand for what the index names, whoever wrote last. */
async function alignPlatforms(
  { target: { client, repository, rules }, parts }: PublishedContent,
  digests: readonly string[],
): Promise<void> {
  for (const digest of digests) {
    const child = await readTag(client, repository, digest);
    const key = child && annotationsOf(child)[KEY_ANNOTATION];
    if (child === undefined || !parts.some((part) => part.key === key) || key === undefined) {
      continue;
    }
    const now = await unlessDenied(lookUp(client, repository, key, rules));
    if (now?.descriptor.digest === digest) continue;
    const { mediaType } = child.descriptor;
    await client.putManifest(repository, tagToWrite(key, rules), mediaType, child.bytes);
  }
}
