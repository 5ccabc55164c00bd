/**
 * What was built. Each image and platform, and each task, has a small file with its latest record,
 * which is all that a run without changes reads, and one for each earlier result by key.
 */

import type { Digest } from "../model/digest.ts";
import type { Layer, Listing } from "../model/image.ts";
import type { ImageKeyParts, TaskKeyParts } from "../model/key.ts";
import type { Descriptor } from "../model/oci.ts";
import type { Description } from "../model/plugin.ts";
import type { Reason } from "../model/result.ts";
import type { Entry } from "../model/selection.ts";
import { sealed, unsealed } from "../model/sealed.ts";
import { namesIn } from "../util/names_in.ts";
import { readRegularText } from "../util/regular_file.ts";
import { writeAtomic } from "./atomic.ts";
import type { Layout } from "./layout.ts";
import { ResultFolder } from "./results.ts";
import { exists, fileName, type State } from "./state.ts";

/** Raised when a record's shape changes; others are misses. */
const SCHEMA = 1;

/** An image's last good result on one platform. */
export interface ImageRecord {
  readonly schema: number;
  readonly name: string;
  readonly platform: string;
  readonly key: string;
  readonly parts: ImageKeyParts;
  /** The key that others without the tool find it by, 64 hex digits. */
  readonly sourceKey?: string;
  /** Merkle root of the input tree, also where an identity replaces it in the key. */
  readonly tree: string;
  /** Local circumstances under which the identity holds. */
  readonly guard?: string;
  /** What `describe` said, for which recipe, having read which files. */
  readonly description: RecordedDescription;
  readonly imageId: Digest;
  /** Bytes of the config, where it was made here. */
  readonly configSize?: number;
  readonly manifest: Descriptor;
  /** How an index that the tool made lists it. */
  readonly listing?: Listing;
  /** Undefined where only the registry's manifest is known so far. */
  readonly layers?: readonly Layer[];
  /** The repository that holds all of it, where the image came from or went to a registry. */
  readonly remote?: { readonly host: string; readonly repository: string };
  /** The pair of image and expectations that was checked where it was published. */
  readonly verdict?: string;
  /** Why it was built. */
  readonly reasons: readonly Reason[];
  /** Duration of the build, in milliseconds. */
  readonly ms: number;
  /** When it was recorded, in milliseconds since 1970. */
  readonly at: number;
}

/** A description and when it holds. */
export interface RecordedDescription {
  /** The recipe and circumstances it was made for, as canonical JSON. */
  readonly recipe: string;
  /** Merkle root of the files it read. */
  readonly reads: string;
  readonly value: Description;
}

/** A task's last good result. */
export interface TaskRecord {
  readonly schema: number;
  readonly name: string;
  readonly key: string;
  readonly parts: TaskKeyParts;
  readonly tree: string;
  /** Merkle root of the outputs. */
  readonly outputs: string;
  readonly reasons: readonly Reason[];
  readonly ms: number;
  readonly at: number;
}

/** The records of one project. */
export class Records {
  readonly #state: State;
  readonly #images: RecordFolder<ImageRecord>;
  readonly #tasks: RecordFolder<TaskRecord>;
  readonly #imageResults: ResultFolder<ImageRecord>;
  readonly #taskResults: ResultFolder<TaskRecord>;

  constructor(state: State) {
    this.#state = state;
    this.#images = new RecordFolder(`${state.latest}/images`);
    this.#tasks = new RecordFolder(`${state.latest}/tasks`);
    this.#imageResults = new ResultFolder(state, "images");
    this.#taskResults = new ResultFolder(state, "tasks");
  }

  /** An image's latest record on a platform, if there is one that can be read. */
  image(name: string, platform: string): ImageRecord | undefined {
    return this.#images.get(imageFile(name, platform));
  }

  /** The same, also where another process has made it since this one looked for records. */
  latestImage(name: string, platform: string): ImageRecord | undefined {
    return this.#images.latest(imageFile(name, platform));
  }

  /** An image's result under a key, whenever it was made, and in whichever work tree. */
  imageResult(name: string, platform: string, key: string): ImageRecord | undefined {
    return this.#imageResults.get(subjectOf(name, platform), key);
  }

  /** Yields an image's results on a platform, the last used first. */
  imageHistory(name: string, platform: string): Iterable<ImageRecord> {
    return this.#imageResults.history(subjectOf(name, platform));
  }

  /** Keeps an image's record as its latest, and by key. */
  putImage(record: Omit<ImageRecord, "schema">): void {
    const whole = { schema: SCHEMA, ...record };
    this.#imageResults.put(subjectOf(record.name, record.platform), whole);
    this.#images.put(imageFile(record.name, record.platform), whole);
  }

  /** A task's latest record, if there is one that can be read. */
  task(name: string): TaskRecord | undefined {
    return this.#tasks.get(`${name}.json`);
  }

  /** The same, also where another process has made it since this one looked for records. */
  latestTask(name: string): TaskRecord | undefined {
    return this.#tasks.latest(`${name}.json`);
  }

  /** A task's result under a key, whenever it was made, and in whichever work tree. */
  taskResult(name: string, key: string): TaskRecord | undefined {
    return this.#taskResults.get(name, key);
  }

  /** Keeps a task's record as its latest, and by key. */
  putTask(record: Omit<TaskRecord, "schema">): void {
    const whole = { schema: SCHEMA, ...record };
    this.#taskResults.put(record.name, whole);
    this.#tasks.put(`${record.name}.json`, whole);
  }

  /** The entries of an input tree that was kept, for telling what changed; undefined if it is gone. */
  tree(root: string): readonly Entry[] | undefined {
    const entries = readJson(this.#treePath(root));
    return Array.isArray(entries) && entries.every(isEntry) ? entries : undefined;
  }

  /** Keeps the entries of an input tree under its root. */
  putTree(root: string, entries: readonly Entry[]): void {
    const path = this.#treePath(root);
    if (!exists(path)) writeAtomic(path, JSON.stringify(entries));
  }

  #treePath(root: string): string {
    return this.#state.path("trees", `${root}.json`);
  }
}

/** Says whether an image's documents are in the layout, and its layers too but those that may miss. */
export function hasBlobs(
  layout: Layout,
  { manifest, imageId, configSize, layers = [] }: ImageRecord,
  mayMiss: (layer: Layer) => boolean = () => false,
): boolean {
  return layout.has(manifest.digest, manifest.size) && layout.has(imageId, configSize) &&
    layers.every((layer) =>
      mayMiss(layer) || layout.has(layer.descriptor.digest, layer.descriptor.size)
    );
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && "path" in value &&
    typeof value.path === "string";
}

function subjectOf(name: string, platform: string): string {
  return `${name}@${fileName(platform)}`;
}

function imageFile(name: string, platform: string): string {
  return `${subjectOf(name, platform)}.json`;
}

/** A folder of records. */
class RecordFolder<T extends { readonly schema: number }> {
  readonly #folder: string;
  /** What is there, known once a record was missed: a thousand more misses look here. */
  #listed: Set<string> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get(file: string): T | undefined {
    if (this.#listed?.has(file) === false) return undefined;
    const record = this.latest(file);
    if (record === undefined) this.#listed ??= new Set(namesIn(this.#folder));
    return record;
  }

  latest(file: string): T | undefined {
    return readRecord<T>(`${this.#folder}/${file}`);
  }

  put(file: string, record: T): void {
    writeAtomic(`${this.#folder}/${file}`, sealed(record));
    this.#listed?.add(file);
  }
}

/** Reads a record; one that is missing, of another schema or not as it was written is a miss. */
export function readRecord<T extends { readonly schema: number }>(path: string): T | undefined {
  const record = readSealed<T>(path);
  return record?.schema === SCHEMA ? record : undefined;
}

/** Reads what was sealed; where it is missing, or not as it was written, it was never kept. */
export function readSealed<T extends object>(path: string): T | undefined {
  try {
    return unsealed<T>(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Reads a file; a missing or unreadable one is a miss: what it said can be found out again. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readRegularText(path));
  } catch {
    return undefined;
  }
}
