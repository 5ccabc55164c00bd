/** From a declared image to its key and its verdict. */

import type { TreeOptions } from "../files/index.ts";
import { fileSelections, withLinksFollowed, withRealPaths } from "../files/links.ts";
import { inputSelections } from "../files/selection.ts";
import type { Digest } from "../model/digest.ts";
import { usageFault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { Layer } from "../model/image.ts";
import type { Json } from "../model/json.ts";
import { type ImageKeyParts, KEY_SCHEMA } from "../model/key.ts";
import {
  type DescribeContext,
  type Description,
  Discovered,
  type Identity,
} from "../model/plugin.ts";
import type { Projection } from "../model/projection.ts";
import type { Reason } from "../model/result.ts";
import type { Selection, Tree } from "../model/selection.ts";
import { canonicalJson } from "../oci/json.ts";
import { hasBlobs, type ImageRecord } from "../store/records.ts";
import { exists } from "../store/state.ts";
import type { Circumstances } from "./circumstances.ts";
import { environmentDigests, environmentValues, guardState } from "./environment.ts";
import type { ImageNode } from "./graph.ts";
import { keyOf } from "./key_of.ts";
import { readsOf, withLinkedReads } from "./reads.ts";
import { imageReasons, treeReasons } from "./reasons.ts";
import type { RemoteDigests } from "./remotes.ts";

/** Another one where descriptions that are recorded no longer say all that they hold for. */
const DESCRIPTION_SCHEMA = 5;

/** An image described: what goes in is known, but nothing of it has been looked at. */
export interface DescribedImage {
  readonly node: ImageNode;
  readonly record: ImageRecord | undefined;
  readonly description: Description;
  /** The recipe and circumstances the description was made for. */
  readonly recipe: string;
  /** Merkle root of the files that `describe` read. */
  readonly reads: string;
  readonly selections: readonly Selection[];
  /** Globs that the keys of needed tasks stand for. */
  readonly without: readonly string[];
  /** Files of which only a part counts; what is built sees all of them. */
  readonly projections: readonly Projection[];
  readonly hostEnv: Readonly<Record<string, string | null>>;
}

/** What is known of an image before its needs and its identity are. */
export interface PreparedImage extends DescribedImage {
  /** Merkle root of the input tree. */
  readonly tree: string;
  /** Local circumstances under which the plugin need not be asked for an identity. */
  readonly guard?: string;
  /** The plugin must be asked for an identity: it has one, and the recorded one does not hold. */
  readonly unidentified: boolean;
  /** What stands for the input tree, where the plugin says so. */
  readonly identity?: Json;
}

/** What the nodes an image needs have come to. */
export interface SettledNeeds {
  /** Image → image ID. */
  readonly images: Readonly<Record<string, Digest>>;
  /** Task → key. */
  readonly tasks: Readonly<Record<string, string>>;
}

/** An image's key, and whether its record still stands for it. */
export interface ImageEvaluation {
  readonly prepared: PreparedImage;
  readonly parts: ImageKeyParts;
  readonly key: string;
  /** The record whose result stands for the key: the latest, or an earlier one that fits again. */
  readonly current: ImageRecord | undefined;
  /** When the result under the key was recorded, also where it must be built again. */
  readonly recordedAt: number | undefined;
  /** Why it is not current; empty where it is. */
  readonly reasons: readonly Reason[];
  /** The image that was found by its source key, so that its tool was not asked for its own. */
  readonly found?: ImageRecord;
}

/** Describes an image; the record's description is used while it holds. */
export async function describeImage(c: Circumstances, node: ImageNode): Promise<DescribedImage> {
  const { image, platform } = node;
  const record = c.records.image(image.name, platform);
  const hostEnv = await environmentDigests(image.common.hostEnv);
  const recipe = canonicalJson({
    schema: DESCRIPTION_SCHEMA,
    plugin: [image.plugin.name, image.plugin.version],
    options: image.options as Json,
    inputs: image.common.inputs,
    needs: image.common.needs,
    platform,
    hostEnv,
    args: c.args,
    engine: c.overrides.engine ?? null,
  });
  const { description, reads } = await describe(c, node, record, recipe);
  return { node, record, recipe, ...await withSelections(c, node, description), reads };
}

/** Describes an image and looks at its files. */
export async function prepareImage(c: Circumstances, node: ImageNode): Promise<PreparedImage> {
  const described = await describeImage(c, node);
  const { record, recipe } = described;
  const prepared = await lookAtFiles(c, described);
  if (prepared.guard === undefined) return prepared;
  if (c.forced.has(node.id)) return { ...prepared, unidentified: true };
  if (record?.guard === prepared.guard && record.description.recipe === recipe) {
    return withIdentity(prepared, record);
  }
  return await preparedAsBefore(c, described) ?? { ...prepared, unidentified: true };
}

/** Finds an earlier result of the image whose guard holds again, so that its tool is not asked. */
async function preparedAsBefore(
  c: Circumstances,
  described: DescribedImage,
): Promise<PreparedImage | undefined> {
  const { node: { image, platform }, recipe } = described;
  for (const past of c.records.imageHistory(image.name, platform)) {
    if (past.guard === undefined || past.description.recipe !== recipe) continue;
    const prepared = await preparedByResult(c, described, past);
    const reads = await c.index.rootOf(readsOf(prepared.description));
    if (reads === past.description.reads && prepared.guard === past.guard) return prepared;
  }
  return undefined;
}

function withIdentity(prepared: PreparedImage, { parts }: ImageRecord): PreparedImage {
  const { identity } = parts;
  return { ...prepared, unidentified: false, ...(identity === undefined ? {} : { identity }) };
}

/** The same image with what its plugin was asked for. */
export async function identified(
  c: Circumstances,
  prepared: PreparedImage,
  identity: Identity,
): Promise<PreparedImage> {
  if (!(identity instanceof Discovered)) return { ...prepared, unidentified: false, identity };
  const description = withLinkedReads(c.project.root, identity.description);
  const reads = await c.index.rootOf(readsOf(description));
  const found = await withSelections(c, prepared.node, description);
  return await lookAtFiles(c, { ...prepared, ...found, reads });
}

/** Makes the key, and compares it with the record's. */
export async function evaluateImage(
  c: Circumstances,
  prepared: PreparedImage,
  needs: SettledNeeds,
  remotes: RemoteDigests,
): Promise<ImageEvaluation> {
  const { node, record } = prepared;
  const parts = partsOf(prepared, needs, remotes);
  const text = canonicalJson(parts as unknown as Json);
  const same = record !== undefined && canonicalJson(record.parts as unknown as Json) === text;
  const key = same ? record.key : await keyOf(text);
  const result = same ? record : c.records.imageResult(node.image.name, node.platform, key);
  const isForced = c.forced.has(node.id);
  const current = !isForced && result !== undefined && hasResult(c, result) ? result : undefined;
  const reasons: Reason[] = [];
  if (isForced) reasons.push({ kind: "forced" });
  if (current === undefined) {
    if (record === undefined) reasons.push({ kind: "first-build" });
    else if (!same) reasons.push(...await whyAnother(c, prepared, record, parts));
    else if (!hasResult(c, record)) reasons.push({ kind: "result-missing" });
  }
  return { prepared, parts, key, current, recordedAt: result?.at, reasons };
}

/** The same image with what its sources are standing for its input tree. */
export async function preparedBySource(
  c: Circumstances,
  { unidentified: _, ...described }: PreparedImage,
  sourceKey: string,
): Promise<PreparedImage> {
  const { undiscovered: _undiscovered, ...description } = described.description;
  const { inputs = [], guard = description.guard ?? {} } = description.sourceKey ?? {};
  const found = await withSelections(c, described.node, { ...description, inputs, guard });
  return { ...await lookAtFiles(c, { ...described, ...found }), identity: { sourceKey } };
}

/** The same image with the identity and the description of an earlier result. */
export async function preparedByResult(
  c: Circumstances,
  described: DescribedImage,
  result: ImageRecord,
): Promise<PreparedImage> {
  const { value: description, reads } = result.description;
  const found = await withSelections(c, described.node, description);
  return withIdentity(await lookAtFiles(c, { ...described, ...found, reads }), result);
}

/** The same image once its tool has written files that go in: its key is that of what they hold. */
export async function evaluateAgain(
  c: Circumstances,
  { prepared, parts, reasons }: ImageEvaluation,
): Promise<ImageEvaluation> {
  const { identity } = prepared;
  const looked = await lookAtFiles(c, prepared);
  const again = { ...looked, ...(identity === undefined ? {} : { identity }) };
  return { ...await evaluateImage(c, again, parts, parts), reasons };
}

/** Says whether an image's files still are those that its key was made of. */
export async function stillHolds(c: Circumstances, prepared: PreparedImage): Promise<boolean> {
  const { selections, description, tree, reads } = prepared;
  return await c.index.rootOf(selections, keyOptions(prepared)) === tree &&
    await c.index.rootOf(readsOf(description)) === reads;
}

/** Says whether all that its tool's answer holds for is still so, as far as files are known to be. */
export async function guardHolds(c: Circumstances, prepared: PreparedImage): Promise<boolean> {
  return (await lookAtFiles(c, prepared)).guard === prepared.guard;
}

/** The entries of an image's input tree as the key sees it. */
export function keyTree(c: Circumstances, prepared: PreparedImage): Promise<Tree> {
  return c.index.tree(prepared.selections, keyOptions(prepared));
}

/** How the key sees an image's files. */
function keyOptions({ without, projections }: DescribedImage): TreeOptions {
  return { without, projections };
}

/** The circumstances that `describe`, and later `build`, are told. */
export function describeContext(c: Circumstances, node: ImageNode): DescribeContext {
  return {
    root: c.project.root,
    platform: node.platform,
    env: environmentValues(node.image.common.hostEnv),
    args: c.args,
    overrides: c.forced.has(node.id) ? { ...c.overrides, noCache: true } : c.overrides,
    cacheDir: c.state.cache,
  };
}

/** Tells how far the reading of a node's files is. */
export function tellReading(c: Circumstances, id: Subject): NonNullable<TreeOptions["onRead"]> {
  return (done, total) => c.progress?.(id, { phase: "hashing", done, total, unit: "bytes" });
}

/** A description with the files and variables that it and the recipe name. */
async function withSelections(
  c: Circumstances,
  node: ImageNode,
  description: Description,
): Promise<
  Pick<DescribedImage, "description" | "hostEnv" | "selections" | "without" | "projections">
> {
  const { inputs, projections = [], hostEnv } = node.image.common;
  refuseProjections(node, description);
  const { projectRoot } = c.index;
  const files = description.files?.flatMap((path) => fileSelections(projectRoot, path)) ?? [];
  const own = inputSelections(withLinksFollowed(projectRoot, inputs));
  return {
    description,
    hostEnv: await environmentDigests([...hostEnv, ...description.env ?? []]),
    selections: [...description.inputs, ...files, ...own],
    without: outputsOfNeededTasks(c, node),
    projections: withRealPaths(projectRoot, projections),
  };
}

/** A tool that is only asked where files have changed must be asked whatever changes in one. */
function refuseProjections({ id, image }: ImageNode, { guard }: Description): void {
  const [first] = image.common.projections ?? [];
  if (first === undefined || guard === undefined) return;
  throw usageFault(`Its inputs cannot be a part of "${first.path}": its tool reads whole files`, {
    where: id,
    ...(image.place === undefined ? {} : { place: image.place }),
    next: `give "${first.path}" itself`,
  });
}

/** Looks at what the description names: the input tree, and the guard where there is one. */
async function lookAtFiles(c: Circumstances, described: DescribedImage): Promise<PreparedImage> {
  const { node: { id }, description: { guard }, selections } = described;
  const onRead = tellReading(c, id);
  const tree = await c.index.rootOf(selections, { ...keyOptions(described), onRead });
  const prepared = { ...described, tree, unidentified: false };
  if (guard === undefined) return prepared;
  const { trees = [] } = guard;
  const roots = trees.length === 0 ? [tree] : [tree, await c.index.rootOf(trees)];
  return { ...prepared, guard: canonicalJson(await guardState(guard, roots)) };
}

async function describe(
  c: Circumstances,
  node: ImageNode,
  record: ImageRecord | undefined,
  recipe: string,
): Promise<{ description: Description; reads: string }> {
  const recorded = record?.description;
  if (recorded !== undefined && recorded.recipe === recipe) {
    const reads = await c.index.rootOf(readsOf(recorded.value));
    if (reads === recorded.reads) return { description: recorded.value, reads };
  }
  const plugin = await node.image.plugin.load();
  const own = await plugin.describe(node.image, describeContext(c, node));
  const description = withLinkedReads(c.project.root, own);
  return { description, reads: await c.index.rootOf(readsOf(description)) };
}

function outputsOfNeededTasks(c: Circumstances, node: ImageNode): readonly string[] {
  const outputs = new Set<string>();
  for (const id of c.graph.closure(node.needs)) {
    const need = c.graph.node(id);
    if (need.type === "task") need.task.outputs.forEach((output) => outputs.add(output));
  }
  return [...outputs].sort();
}

/** The parts that an image's key is made of. */
export function partsOf(
  prepared: PreparedImage,
  needs: SettledNeeds,
  { bases, sources }: RemoteDigests,
): ImageKeyParts {
  const { node: { image, platform }, description, tree, hostEnv, identity } = prepared;
  const own = description.options;
  const { created, labels } = image.common;
  const isObject = typeof own === "object" && own !== null && !Array.isArray(own);
  return {
    schema: KEY_SCHEMA,
    plugin: { name: image.plugin.name, version: image.plugin.version },
    platform,
    options: { ...(isObject ? own : { options: own }), created, labels },
    inputs: identity === undefined ? tree : null,
    ...(identity === undefined ? {} : { identity }),
    hostEnv,
    bases,
    ...(sources === undefined ? {} : { sources }),
    images: needs.images,
    tasks: needs.tasks,
  };
}

async function whyAnother(
  c: Circumstances,
  prepared: PreparedImage,
  record: ImageRecord,
  parts: ImageKeyParts,
): Promise<Reason[]> {
  const identityChanged = canonicalJson(record.parts.identity ?? null) !==
    canonicalJson(parts.identity ?? null);
  const files = record.tree === prepared.tree ? [] : await changedFiles(c, prepared, record);
  const reasons = [
    ...(parts.identity === undefined || identityChanged ? files : []),
    ...imageReasons(record.parts, parts),
  ];
  if (reasons.length > 0) return reasons;
  return [{ kind: "input-changed", detail: "the plugin names another result" }];
}

/** Which files of the input tree are others than those that were recorded. */
export async function changedFiles(
  c: Circumstances,
  prepared: PreparedImage,
  record: ImageRecord,
): Promise<Reason[]> {
  const before = c.records.tree(record.tree);
  if (before === undefined) {
    return [{ kind: "input-changed", detail: "the list of files of the last build is gone" }];
  }
  return treeReasons(before, (await keyTree(c, prepared)).entries, c.index.projections);
}

/** Says whether a record's image can still be had. */
export function hasResult(c: Circumstances, record: ImageRecord): boolean {
  return record.remote !== undefined || hasBlobs(c.layout, record, isElsewhere);
}

function isElsewhere({ places }: Layer): boolean {
  return places.some((place) =>
    place.at === "registry" || (place.at !== "layout" && (place.requires ?? []).every(exists))
  );
}
