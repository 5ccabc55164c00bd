/** What is not the same in two builds of the same thing: which image, layer and file, and how. */

import type { Subject } from "../model/events.ts";
import type { LocalImage, OpenableLayer } from "../model/image.ts";
import { MediaType } from "../model/oci.ts";
import { cachedListing } from "../oci/cached_listing.ts";
import { compareConfigs, type ConfigChange } from "../oci/compare_configs.ts";
import { compareFiles, type FileChange } from "../oci/compare_files.ts";
import { makersOf } from "../oci/inspect.ts";
import { type Listing, listLayer } from "../oci/listing.ts";
import { sha256 } from "../oci/sha256.ts";
import type { ImageRecord } from "../store/records.ts";
import { localImage } from "./local_image.ts";
import { keptOutputs } from "./outputs.ts";
import type { Session } from "./session.ts";
import type { Settled, SettledImage } from "./settled.ts";

/** A build whose results can still be opened. */
export interface ComparableBuild {
  readonly session: Session;
  readonly settled: readonly Settled[];
}

/** How one node came out of two builds. */
export interface Drift {
  readonly id: Subject;
  readonly type: "image" | "task";
  /** It came out the same. */
  readonly same: boolean;
  /** What it needs that did not come out the same either. */
  readonly because: readonly Subject[];
  /** Fields of an image's config. */
  readonly config: readonly ConfigChange[];
  /** Layers of an image, by their place. */
  readonly layers: readonly LayerDrift[];
  /** Outputs of a task, relative to the project. */
  readonly outputs: readonly FileChange[];
}

/** A layer that came out differently. */
export interface LayerDrift {
  /** Its place, counted from 0. */
  readonly layer: number;
  /** What made it, where the config's history tells. */
  readonly createdBy?: string;
  /** Files that differ; empty where only their order or the archive's headers do. */
  readonly files: readonly FileChange[];
}

/** Compares every node of two builds, in the graph's order. */
export async function driftBetween(
  first: ComparableBuild,
  second: ComparableBuild,
): Promise<Drift[]> {
  const after = new Map(second.settled.map((each) => [each.node.id, each]));
  const drifts = new Map<Subject, Drift>();
  for (const old of first.settled) {
    const now = after.get(old.node.id);
    if (now === undefined) continue;
    const { id, type, needs } = old.node;
    const found = type === "image"
      ? await imageDrift(first, old as SettledImage, second, now as SettledImage)
      : await taskDrift(first.session, old, second.session, now);
    if (found === undefined) continue;
    const because = needs.filter((need) => drifts.get(need)?.same === false);
    drifts.set(id, { id, type, because, config: [], layers: [], outputs: [], ...found });
  }
  return [...drifts.values()];
}

type Found = Pick<Drift, "same"> & Partial<Drift>;

async function imageDrift(
  first: ComparableBuild,
  old: SettledImage,
  second: ComparableBuild,
  now: SettledImage,
): Promise<Found | undefined> {
  if (old.record === undefined || now.record === undefined) return undefined;
  if (old.record.imageId === now.record.imageId) return { same: true };
  const before = await localImage(first.session, old.record);
  const after = await localImage(second.session, now.record);
  const bases = movedBases(old.record, now.record);
  return {
    same: false,
    config: [...bases, ...compareConfigs(before.config, after.config)],
    layers: await layersDrift(before, after, second.session),
  };
}

/** A tag that was moved between the builds is no fault of theirs, but it explains what differs. */
function movedBases({ parts: before }: ImageRecord, { parts: after }: ImageRecord): ConfigChange[] {
  const moved = (
    what: string,
    then: Readonly<Record<string, string>> = {},
    now: Readonly<Record<string, string>> = {},
  ) =>
    Object.entries(then).flatMap(([name, before]) => {
      const after = now[name];
      return after === undefined || after === before
        ? []
        : [{ field: `${what} ${name}`, before, after }];
    });
  return [
    ...moved("base", before.bases, after.bases),
    ...moved("source", before.sources, after.sources),
  ];
}

async function layersDrift(
  before: LocalImage,
  after: LocalImage,
  { signal, circumstances: { state } }: Session,
): Promise<LayerDrift[]> {
  const makers = makersOf(after.config, after.layers.length);
  const list = (layer: OpenableLayer | undefined): Promise<Listing> =>
    layer === undefined
      ? Promise.resolve({ files: [], removed: [], opaque: [] })
      : cachedListing(layer, state.cache, signal, { contents: true });
  const drifts: LayerDrift[] = [];
  for (let at = 0; at < Math.max(before.layers.length, after.layers.length); at++) {
    const [old, now] = [before.layers[at], after.layers[at]];
    if (old?.diffId === now?.diffId) continue;
    const files = compareFiles((await list(old)).files, (await list(now)).files);
    const createdBy = makers[at];
    drifts.push({ layer: at, files, ...(createdBy === undefined ? {} : { createdBy }) });
  }
  return drifts;
}

async function taskDrift(
  first: Session,
  old: Settled,
  second: Session,
  now: Settled,
): Promise<Found | undefined> {
  const before = await outputsOf(first, old);
  const after = await outputsOf(second, now);
  if (before === undefined || after === undefined) return undefined;
  const outputs = compareFiles(before.files, after.files)
    .map((change) => ({ ...change, path: change.path.slice(1) }));
  return { same: outputs.length === 0, outputs };
}

/** What a task left, as it is kept under its key; undefined where it did not run. */
async function outputsOf(session: Session, { key }: Settled): Promise<Listing | undefined> {
  const path = key === undefined ? undefined : keptOutputs(session.circumstances, key);
  if (path === undefined) return undefined;
  // An archive of our own has no digest to be held against.
  const digest = sha256(path);
  return await listLayer(
    {
      descriptor: { mediaType: MediaType.layer, digest, size: 0 },
      diffId: digest,
      places: [],
      open: async () => (await Deno.open(path)).readable,
    },
    session.signal,
    { contents: true },
  );
}
