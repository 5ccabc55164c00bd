/**
 * Keys over what travels with a repository, for images whose own key only a tool can make. Where the
 * tool is missing, or has not been asked yet, what a registry holds is found by this key.
 */

import type { Json } from "../model/json.ts";
import type { SourceKeyParts } from "../model/plugin.ts";
import { canonicalJson } from "../oci/json.ts";
import type { Circumstances } from "./circumstances.ts";
import {
  describeContext,
  keyTree,
  partsOf,
  type PreparedImage,
  type SettledNeeds,
} from "./evaluate_image.ts";
import { keyOf } from "./key_of.ts";

/** Raised when the same sources would give another source key. */
const SOURCE_SCHEMA = 1;

/** The key to look an image up by; undefined where its sources do not decide the result. */
export async function sourceKeyToRead(
  c: Circumstances,
  prepared: PreparedImage,
  needs: SettledNeeds,
): Promise<string | undefined> {
  const { description: { sourceKey }, without } = prepared;
  if (sourceKey === undefined) return undefined;
  const tree = await c.index.rootOf(sourceKey.inputs, { without });
  return await keyOfSources(prepared, sourceKey, needs, tree);
}

/**
 * The key that others will find a result by; undefined where they cannot have the same sources,
 * because something that went in is not committed. Called once the tool has been asked.
 */
export async function sourceKeyToWrite(
  c: Circumstances,
  prepared: PreparedImage,
  needs: SettledNeeds,
): Promise<string | undefined> {
  const { node, without, guard } = prepared;
  if (guard === undefined) return undefined;
  const plugin = await node.image.plugin.load();
  // What the tool was asked may have shown that its answer holds for this moment alone.
  const { sourceKey } = await plugin.describe(node.image, describeContext(c, node));
  if (sourceKey === undefined) return undefined;
  const committed = await c.index.tree(sourceKey.committed, { without });
  const paths = new Set(committed.entries.map(({ path }) => path));
  const { entries } = await keyTree(c, prepared);
  if (!entries.every(({ path, type }) => type === "directory" || paths.has(path))) return undefined;
  return await keyOfSources(prepared, sourceKey, needs, committed.root);
}

async function keyOfSources(
  prepared: PreparedImage,
  { facts }: SourceKeyParts,
  needs: SettledNeeds,
  tree: string,
): Promise<string> {
  const { identity: _, ...own } = prepared;
  const parts = partsOf({ ...own, tree }, needs, { bases: {} });
  return await keyOf(canonicalJson({ ...parts, source: SOURCE_SCHEMA, facts } as unknown as Json));
}
