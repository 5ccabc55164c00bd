/** Publishing by the means of the tool that built an image: its manifests stay as they were built. */

import type { Digest } from "../../model/digest.ts";
import { Fault } from "../../model/errors.ts";
import type { ContentItem, ContentOutcome } from "./content.ts";
import { type Published, readTag, tagToWrite } from "./lookup.ts";
import { referenceOf, type Tagged, type Target } from "./target.ts";

/** Where a tool publishes to. */
export interface ToolTarget {
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
}

/** Lets the tool publish; answers with the digest of what the tag stands for then. */
export type PublishByTool = (to: ToolTarget) => Promise<Digest>;

/**
 * Publishes an image by its tool's means under its content tag, and the platforms of an index under
 * theirs.
 *
 * @throws {Fault} when the tool published another image than was built.
 */
export async function publishByTool(
  { parts, indexKey }: ContentItem,
  publish: PublishByTool,
  target: Target,
): Promise<ContentOutcome> {
  const { client, repository, rules } = target;
  const tag = tagToWrite(indexKey ?? parts[0]!.key, rules);
  const digest = await publish({ host: client.host, repository, tag });
  const published = await readTag(client, repository, tag);
  if (published?.descriptor.digest !== digest) {
    throw anotherImage(target, tag, digest, published?.descriptor.digest ?? "nothing");
  }
  const top: Tagged = { status: "pushed", published };
  const tagged = new Map<string, Tagged>();
  for (const { platform, key, open } of parts) {
    const { manifestDigest } = await open();
    if (indexKey === undefined) {
      if (digest !== manifestDigest) throw anotherImage(target, tag, manifestDigest, digest);
      tagged.set(platform, top);
    } else {
      const child = childOf(published, manifestDigest);
      if (child === undefined) throw anotherImage(target, tag, manifestDigest, digest);
      tagged.set(platform, await tagChild(target, manifestDigest, tagToWrite(key, rules)));
    }
  }
  return { top, parts: tagged };
}

function childOf({ index }: Published, digest: Digest) {
  return index?.manifests.find((child) => child.digest === digest);
}

async function tagChild(target: Target, digest: Digest, tag: string): Promise<Tagged> {
  const { client, repository } = target;
  const child = await readTag(client, repository, digest);
  if (child === undefined) throw anotherImage(target, tag, digest, "nothing");
  await client.putManifest(repository, tag, child.descriptor.mediaType, child.bytes);
  return { status: "pushed", published: { ...child, tag } };
}

function anotherImage(target: Target, tag: string, wanted: string, found: string): Fault {
  return new Fault(`The tool published ${found}, not ${wanted} as it was built`, {
    where: referenceOf(target, tag),
    next: "let the push target and `target` name the same image, built with the same flags",
  });
}
