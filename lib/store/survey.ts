/** What the state holds: every file with its size and age, and what each record needs of them. */

import { type Descriptor, type Manifest, MediaType } from "../model/oci.ts";
import { isDigest } from "../model/digest.ts";
import { isLeftover, isTemporaryName } from "../util/temporary.ts";
import { namesIn } from "../util/names_in.ts";
import type { Layout } from "./layout.ts";
import { type ImageRecord, readJson, readRecord, type TaskRecord } from "./records.ts";
import type { State } from "./state.ts";

/** What a file of the state is. */
export type StoredKind =
  | "record"
  | "blob"
  | "tree"
  | "outputs"
  | "log"
  | "cache"
  /** Of a run that was killed. */
  | "leftover";

/** A file (or, as a leftover, a folder) that may be removed. */
export interface Stored {
  readonly kind: StoredKind;
  /** What people know it by: a digest, a name, a path below the state. */
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  readonly bytes: number;
  /** When it was last written, in milliseconds since 1970. */
  readonly at: number;
}

/** Records of an image or a task that go together, and what these need. */
export interface Owner {
  readonly type: "image" | "task";
  readonly name: string;
  /** The latest of this work tree, one earlier result, or the latest of another work tree. */
  readonly role: "latest" | "earlier" | "elsewhere";
  readonly records: readonly Stored[];
  /** Absolute paths of the files that its records need. */
  readonly needs: ReadonlySet<string>;
  /** When the last of its records was written or used, in milliseconds since 1970. */
  readonly at: number;
}

/** Everything in the state. */
export interface Survey {
  readonly owners: readonly Owner[];
  /** Files that are no record of an owner. */
  readonly files: readonly Stored[];
  /** Bytes of all there is, what is never removed included. */
  readonly bytes: number;
}

/** Age after which a file of unknown origin among the temporary ones is removed, in milliseconds. */
const UNFINISHED = 3_600_000;

/** The folders whose files may be removed. */
const KINDS: Readonly<Record<string, StoredKind>> = {
  "oci/blobs/sha256": "blob",
  trees: "tree",
  outputs: "outputs",
  logs: "log",
  cache: "cache",
};

/** Looks at everything; opens records, indexes and manifests only. */
export function survey(state: State, layout: Layout, now: number): Survey {
  const images = ownersOf(state, "images", (each) => needsOfImages(state, layout, each));
  const tasks = ownersOf(state, "tasks", (each) => needsOfTasks(state, each));
  const owners = [...images, ...tasks, ...namedOnly(layout, images)];
  const recorded = new Set(owners.flatMap(({ records }) => records.map(({ path }) => path)));
  const files: Stored[] = [];
  for (const [folder, kind] of Object.entries(KINDS)) {
    for (const { path, bytes, at } of filesBelow(state.path(folder))) {
      const name = kind === "blob"
        ? `sha256:${lastPart(path)}`
        : path.slice(state.folder.length + 1);
      const isTemporary = path.endsWith(".tmp");
      if (!isTemporary) files.push({ kind, name, path, bytes, at });
      else if (isAbandoned(path, now - at)) files.push({ kind: "leftover", name, path, bytes, at });
    }
  }
  for (const path of entriesOf(state.path("tmp"))) {
    const inside = [...filesBelow(path)];
    const at = Math.max(timeOf(path), ...inside.map((each) => each.at));
    const bytes = inside.reduce((sum, each) => sum + each.bytes, 0);
    const name = path.slice(state.folder.length + 1);
    if (isAbandoned(path, now - at)) files.push({ kind: "leftover", name, path, bytes, at });
  }
  const kept = state.workTreeFiles;
  for (const file of filesBelow(state.path("records"))) {
    const name = file.path.slice(state.folder.length + 1);
    if (recorded.has(file.path) || kept.has(file.path)) continue;
    files.push({ kind: "record", name, ...file });
  }
  for (const path of entriesOf(state.folder)) {
    const name = lastPart(path);
    if (!name.startsWith("index-") || kept.has(path)) continue;
    for (const file of filesBelow(path)) files.push({ kind: "cache", name, ...file });
  }
  // The folder itself may be a link.
  const all = entriesOf(state.folder).flatMap((path) => [...filesBelow(path)]);
  return { owners, files, bytes: all.reduce((sum, each) => sum + each.bytes, 0) };
}

function isAbandoned(path: string, age: number): boolean {
  return isTemporaryName(path) ? isLeftover(path) : age > UNFINISHED;
}

type AnyRecord = ImageRecord | TaskRecord;

interface StoredRecord {
  readonly stored: Stored;
  readonly record: AnyRecord;
}

/** The latest records by name, here and in other work trees, and each earlier result by itself. */
function ownersOf(
  state: State,
  type: "images" | "tasks",
  needs: (records: readonly AnyRecord[]) => Set<string>,
): Owner[] {
  const owner = (role: Owner["role"], all: readonly StoredRecord[]): Owner => ({
    type: type === "images" ? "image" : "task",
    name: all[0]!.record.name,
    role,
    records: all.map(({ stored }) => stored),
    needs: needs(all.map(({ record }) => record)),
    at: Math.max(...all.map(({ stored, record }) => Math.max(stored.at, record.at))),
  });
  const results = new Map(
    recordsBelow(`${state.results}/${type}`).map((each) => [resultName(each), each]),
  );
  const earlier = new Map(results);
  const latestIn = (folder: string, role: Owner["role"]) => {
    const byName = Map.groupBy(recordsBelow(`${folder}/${type}`), ({ record }) => record.name);
    return [...byName.values()].map((all) => {
      const asResults = all.flatMap((each) => results.get(resultName(each)) ?? []);
      for (const each of asResults) earlier.delete(resultName(each));
      return owner(role, [...all, ...asResults]);
    });
  };
  return [
    ...latestIn(state.latest, "latest"),
    ...state.latestElsewhere.flatMap((folder) => latestIn(folder, "elsewhere")),
    ...[...earlier.values()].map((each) => owner("earlier", [each])),
  ];
}

function resultName({ stored, record }: StoredRecord): string {
  return `${stored.name} ${record.key}`;
}

/** Records that cannot be read belong to nobody. */
function recordsBelow(folder: string): StoredRecord[] {
  return [...filesBelow(folder)].flatMap(({ path, bytes, at }) => {
    const record = readRecord<AnyRecord>(path);
    if (record === undefined) return [];
    const name = "platform" in record ? `${record.name}@${record.platform}` : record.name;
    return [{ stored: { kind: "record", name, path, bytes, at } as const, record }];
  });
}

/** Names of the layout whose records are gone. */
function namedOnly(layout: Layout, images: readonly Owner[]): Owner[] {
  return [...layout.refs()].filter(([name]) => !images.some((image) => image.name === name))
    .map(([name, descriptor]) => {
      const needs = new Set<string>();
      addBlobs(layout, descriptor, needs);
      const at = timeOf(layout.blobPath(descriptor.digest));
      return { type: "image", name, role: "latest", records: [], needs, at };
    });
}

function needsOfTasks(state: State, records: readonly AnyRecord[]): Set<string> {
  return new Set(records.flatMap(({ key, tree }) => [
    state.path("outputs", `${key}.tar`),
    state.path("trees", `${tree}.json`),
  ]));
}

function needsOfImages(state: State, layout: Layout, records: readonly AnyRecord[]): Set<string> {
  const needs = new Set<string>();
  for (const record of records as readonly ImageRecord[]) {
    needs.add(state.path("trees", `${record.tree}.json`));
    addBlobs(layout, record.manifest, needs);
    for (const { descriptor } of record.layers ?? []) needs.add(layout.blobPath(descriptor.digest));
    if (isDigest(record.imageId)) needs.add(layout.blobPath(record.imageId));
  }
  for (const [name, descriptor] of layout.refs()) {
    if (records.some((record) => record.name === name)) addBlobs(layout, descriptor, needs);
  }
  return needs;
}

/** A manifest or an index, and all that it names. */
function addBlobs(layout: Layout, descriptor: Descriptor, into: Set<string>): void {
  const path = layout.blobPath(descriptor.digest);
  if (into.has(path)) return;
  into.add(path);
  if (!isDocument(descriptor.mediaType)) return;
  const document = readJson(path) as Partial<Manifest> & { manifests?: Descriptor[] } | null;
  const { manifests = [], config, layers = [] } = document ?? {};
  for (const each of [...manifests, ...layers, ...(config === undefined ? [] : [config])]) {
    if (isDigest(each.digest)) addBlobs(layout, each, into);
  }
}

function isDocument(mediaType: string): boolean {
  const documents: readonly string[] = [
    ...[MediaType.manifest, MediaType.index, MediaType.dockerManifest, MediaType.dockerIndex],
  ];
  return documents.includes(mediaType);
}

interface FileFacts {
  readonly path: string;
  readonly bytes: number;
  readonly at: number;
}

/** Every file below a path, or the path itself where it is one. */
function* filesBelow(path: string): Generator<FileFacts> {
  const info = factsOf(path);
  if (info === undefined) return;
  if (info.isDirectory) { for (const each of entriesOf(path)) yield* filesBelow(each); }
  else yield { path, bytes: info.size, at: info.mtime?.getTime() ?? 0 };
}

function entriesOf(folder: string): string[] {
  return namesIn(folder).map((name) => `${folder}/${name}`);
}

/** What is there; a file may be gone by the time it is looked at. */
function factsOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function timeOf(path: string): number {
  return factsOf(path)?.mtime?.getTime() ?? 0;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
