/** Source tags: aliases by which an image is found where its key cannot be made. */

import { SOURCE_TAG_PREFIX } from "../../model/key.ts";
import { unlessDenied } from "../faults.ts";
import { lookUpSource, type Published, tagToWrite } from "./lookup.ts";
import type { Target } from "./target.ts";

/** Lets a source tag name an image that is published, unless one is named already. */
export async function writeSourceTag(
  { client, repository, rules }: Target,
  source: string,
  { descriptor, bytes }: Published,
  force: boolean,
): Promise<void> {
  const there = await unlessDenied(lookUpSource(client, repository, source, rules));
  const isNamed = there?.descriptor.digest === descriptor.digest;
  if (isNamed || (there !== undefined && !force)) return;
  const tag = tagToWrite(source, rules, SOURCE_TAG_PREFIX);
  await client.putManifest(repository, tag, descriptor.mediaType, bytes);
}
