/** Images of several platforms: one index over what was settled for each. */

import { type Descriptor, MediaType } from "../model/oci.ts";
import type { BuildStatus, Verdict } from "../model/result.ts";
import { KEY_SCHEMA } from "../model/key.ts";
import { parsePlatform } from "../model/platform.ts";
import type { Image } from "../model/recipe.ts";
import { needsOf } from "../plan/graph.ts";
import { hashJson } from "../oci/hash.ts";
import type { Layout } from "../store/layout.ts";
import type { ImageRecord } from "../store/records.ts";
import type { Session } from "./session.ts";
import { isKeyed, type Settled, type SettledImage, type SettledIndex } from "./settled.ts";

/** Key of an index: the platforms' keys under their names. */
function indexKey(platforms: Readonly<Record<string, string>>): Promise<string> {
  return hashJson({ schema: KEY_SCHEMA, platforms });
}

/** The key that stands for all platforms of an image: the only one's, or the index's. */
export async function topKeyOf(
  parts: readonly { readonly key: string; readonly node: { readonly platform: string } }[],
): Promise<string> {
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) return only.key;
  return await indexKey(Object.fromEntries(parts.map(({ node, key }) => [node.platform, key])));
}

/** Makes the index of every image of which several platforms, and all of them, are among these. */
export async function settleIndexes(
  session: Session,
  settled: readonly Settled[],
): Promise<SettledIndex[]> {
  const byImage = new Map<Image, SettledImage[]>();
  for (const each of settled) {
    if (each.node.type !== "image" || each.node.id === each.node.image.name) continue;
    const { image } = each.node;
    byImage.set(image, [...byImage.get(image) ?? [], each as SettledImage]);
  }
  const indexes: SettledIndex[] = [];
  const { graph } = session.circumstances;
  for (const [image, parts] of byImage) {
    if (parts.length < graph.named(image.name).length) continue;
    indexes.push(await settleIndex(session, image, parts));
  }
  return indexes;
}

async function settleIndex(
  session: Session,
  image: Image,
  parts: readonly SettledImage[],
): Promise<SettledIndex> {
  const common = { name: image.name, plugin: image.plugin.name, needs: needsOf(image) };
  const statuses = parts.flatMap((part) => part.status ?? []);
  const status = statuses.length === parts.length ? worstOf(parts, worst(statuses)) : {};
  const verdicts = parts.flatMap((part) => part.verdict ?? []);
  const verdict = verdicts.length === parts.length ? { verdict: leastReady(verdicts) } : {};
  if (!parts.every(isKeyed)) return { ...common, ...status, ...verdict };
  const key = await topKeyOf(parts);
  const isRemote = parts.every((part) => part.status === "remote");
  const published = isRemote ? await session.registries.findIndex(image, key) : undefined;
  const records = parts.flatMap((part) => part.record ?? []);
  const isSettled = records.length === parts.length && statuses.length === parts.length;
  const local = isSettled ? await topOf(session.circumstances.layout, records) : undefined;
  const digest = published?.descriptor.digest ?? local?.digest;
  return {
    ...common,
    ...status,
    ...verdict,
    key,
    ...(digest === undefined ? {} : { digest }),
    ...(local === undefined ? {} : { local }),
  };
}

/** What stands for all platforms of an image: the only manifest, or an index that is written here. */
export async function topOf(layout: Layout, records: readonly ImageRecord[]): Promise<Descriptor> {
  const [only, ...others] = records;
  if (only !== undefined && others.length === 0) return only.manifest;
  const manifests = records.map((record) => ({
    ...record.manifest,
    platform: parsePlatform(record.platform),
  }));
  const { encodeIndex } = await import("../oci/documents.ts");
  return await layout.write(MediaType.index, encodeIndex({ manifests }));
}

const BY_WEIGHT: readonly BuildStatus[] = [
  "failed",
  "unavailable",
  "skipped",
  "built",
  "remote",
  "cached",
];

function worst(statuses: readonly BuildStatus[]): BuildStatus {
  return BY_WEIGHT.find((status) => statuses.includes(status)) ?? "cached";
}

function worstOf(
  parts: readonly SettledImage[],
  status: BuildStatus,
): Pick<SettledIndex, "status" | "fault"> {
  const fault = parts.find((part) => part.status === status)?.fault;
  return { status, ...(fault === undefined ? {} : { fault }) };
}

const BY_READINESS: readonly Verdict[] = ["unavailable", "unknown", "build", "remote", "current"];

function leastReady(verdicts: readonly Verdict[]): Verdict {
  return BY_READINESS.find((verdict) => verdicts.includes(verdict)) ?? "current";
}
