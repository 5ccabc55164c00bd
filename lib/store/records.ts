/** What was built: one small file for each image and platform, and for each task. */

import type { Digest } from "../model/digest.ts";
import type { Layer } from "../model/image.ts";
import type { ImageKeyParts, TaskKeyParts } from "../model/key.ts";
import type { Descriptor } from "../model/oci.ts";
import type { Description } from "../model/plugin.ts";
import type { Reason } from "../model/result.ts";
import type { Entry } from "../model/selection.ts";
import { removeIfThere, writeAtomic } from "./atomic.ts";
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

  constructor(state: State) {
    this.#state = state;
  }

  /** An image's record on a platform, if there is one that can be read. */
  image(name: string, platform: string): ImageRecord | undefined {
    return read<ImageRecord>(this.#imagePath(name, platform));
  }

  /** Keeps an image's record. */
  putImage(record: Omit<ImageRecord, "schema">): void {
    write(this.#imagePath(record.name, record.platform), { schema: SCHEMA, ...record });
  }

  /** Forgets an image's record. */
  removeImage(name: string, platform: string): void {
    removeIfThere(this.#imagePath(name, platform));
  }

  /** A task's record, if there is one that can be read. */
  task(name: string): TaskRecord | undefined {
    return read<TaskRecord>(this.#taskPath(name));
  }

  /** Keeps a task's record. */
  putTask(record: Omit<TaskRecord, "schema">): void {
    write(this.#taskPath(record.name), { schema: SCHEMA, ...record });
  }

  /** The entries of an input tree that was kept, for telling what changed; undefined if it is gone. */
  tree(root: string): readonly Entry[] | undefined {
    return readJson<readonly Entry[]>(this.#treePath(root));
  }

  /** Keeps the entries of an input tree under its root. */
  putTree(root: string, entries: readonly Entry[]): void {
    const path = this.#treePath(root);
    if (!exists(path)) writeAtomic(path, JSON.stringify(entries));
  }

  /** Every image record. */
  *images(): Iterable<ImageRecord> {
    for (const name of names(this.#state.path("records", "images"))) {
      const record = read<ImageRecord>(this.#state.path("records", "images", name));
      if (record !== undefined) yield record;
    }
  }

  #imagePath(name: string, platform: string): string {
    return this.#state.path("records", "images", `${name}@${fileName(platform)}.json`);
  }

  #taskPath(name: string): string {
    return this.#state.path("records", "tasks", `${name}.json`);
  }

  #treePath(root: string): string {
    return this.#state.path("trees", `${root}.json`);
  }
}

function read<T extends { readonly schema: number }>(path: string): T | undefined {
  const record = readJson<T>(path);
  return record?.schema === SCHEMA ? record : undefined;
}

/** Reads a file; a missing or unreadable one is a miss: what it said can be found out again. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(path)) as T;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function write(path: string, record: unknown): void {
  writeAtomic(path, JSON.stringify(record));
}

function names(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name)
      .filter((name) => name.endsWith(".json")).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
