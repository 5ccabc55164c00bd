/**
 * Keys over what travels with a repository, for images whose own key only a tool can make. Where the
 * tool is missing, or has not been asked yet, what a registry holds is found by this key.
 */

import type { Json } from "../model/json.ts";
import type { Description } from "../model/plugin.ts";
import { canonicalJson } from "../oci/json.ts";
import type { Circumstances } from "./circumstances.ts";
import { environmentDigests } from "./environment.ts";
import {
  describeContext,
  guardHolds,
  keyTree,
  partsOf,
  type PreparedImage,
  type SettledNeeds,
} from "./evaluate_image.ts";
import type { ImageNode } from "./graph.ts";
import { keyOf } from "./key_of.ts";

/** Raised when the same sources would give another source key. */
const SOURCE_SCHEMA = 2;

/** The key to look an image up by; undefined where its sources do not decide the result. */
export async function sourceKeyToRead(
  c: Circumstances,
  prepared: PreparedImage,
  needs: SettledNeeds,
): Promise<string | undefined> {
  const description = await describedAnew(c, prepared.node);
  if (description.sourceKey === undefined) return undefined;
  const { without } = prepared;
  const tree = await c.index.rootOf(description.sourceKey.inputs, { without });
  return await keyOfSources({ ...prepared, description, tree }, needs);
}

/**
 * The key that others will find a result by; undefined where they cannot have the same sources,
 * because something that went in is not committed, and where files are no longer those that the tool
 * was asked about. Called once it has been asked.
 */
export async function sourceKeyToWrite(
  c: Circumstances,
  prepared: PreparedImage,
  needs: SettledNeeds,
): Promise<string | undefined> {
  if (prepared.guard === undefined) return undefined;
  const description = await describedAnew(c, prepared.node);
  if (description.sourceKey === undefined) return undefined;
  const { without } = prepared;
  const { root: tree, entries } = await c.index.tree(description.sourceKey.committed, { without });
  if (!await guardHolds(c, prepared)) return undefined;
  const committed = new Set(entries.map(({ path }) => path));
  const wentIn = (await keyTree(c, prepared)).entries;
  const isCommitted = wentIn.every(({ path, type }) => type === "directory" || committed.has(path));
  return isCommitted ? await keyOfSources({ ...prepared, description, tree }, needs) : undefined;
}

/**
 * The description as it is before the tool is asked. Having been asked, a plugin may know that the
 * answer holds for this moment alone.
 */
async function describedAnew(c: Circumstances, node: ImageNode): Promise<Description> {
  const plugin = await node.image.plugin.load();
  return await plugin.describe(node.image, describeContext(c, node));
}

async function keyOfSources(
  { identity: _, ...prepared }: PreparedImage,
  needs: SettledNeeds,
): Promise<string> {
  const { node: { image }, description: { sourceKey } } = prepared;
  const hostEnv = await environmentDigests(image.common.hostEnv);
  const parts = partsOf({ ...prepared, hostEnv }, needs, { bases: {} });
  const facts = sourceKey?.facts ?? null;
  return await keyOf(canonicalJson({ ...parts, source: SOURCE_SCHEMA, facts } as unknown as Json));
}
