/** What is known to have changed in an image itself, while something it needs must be built first. */

import type { Reason } from "../model/result.ts";
import type { Circumstances } from "./circumstances.ts";
import { changedFiles, partsOf, prepareImage } from "./evaluate_image.ts";
import type { ImageNode } from "./graph.ts";
import { imageReasons } from "./reasons.ts";

/** The reasons that do not hang on needs and bases: they are taken to be what they were. */
export async function ownReasons(c: Circumstances, node: ImageNode): Promise<Reason[]> {
  const prepared = await prepareImage(c, node);
  const { record } = prepared;
  if (record === undefined) return [{ kind: "first-build" }];
  const { parts: before } = record;
  const files = record.tree === prepared.tree ? [] : await changedFiles(c, prepared, record);
  return [...files, ...imageReasons(before, partsOf(prepared, before, before))];
}
