/** The index on disk: one compact JSON document, replaced whole. */

import type { Indexed, Stat } from "./folders.ts";
import type { Snapshot } from "./index.ts";

/** What the index holds. */
export interface IndexData {
  /** Folder, relative to the project's → its entries by name. */
  readonly folders: Map<string, ReadonlyMap<string, Indexed>>;
  /** Selections as text → their root. */
  readonly snapshots: Map<string, Snapshot>;
}

/** Raised when the format changes; others are read as empty. */
const VERSION = 1;

/** Days after which a root that nobody asked for is forgotten. */
const KEPT_DAYS = 30;

const TYPES: readonly Stat["type"][] = ["file", "directory", "symlink", "other"];

/** An entry: name, type, executable and settled as bits, size, times, inode, content. */
type Row = readonly [string, number, number, number, number, number, string | null];

interface Document {
  readonly version: number;
  readonly folders: readonly (readonly [string, readonly Row[]])[];
  readonly snapshots: readonly (readonly [string, string, readonly number[], number])[];
}

/** Reads the index; one that is missing, damaged or of another version is empty. */
export function readIndexFile(path: string): IndexData {
  try {
    const document = JSON.parse(Deno.readTextFileSync(path)) as Document;
    if (document.version === VERSION) return decode(document);
  } catch (error) {
    const isMiss = error instanceof Deno.errors.NotFound || error instanceof SyntaxError ||
      error instanceof TypeError;
    if (!isMiss) throw error;
  }
  return { folders: new Map(), snapshots: new Map() };
}

/** Writes the index so that a reader sees the old one or the new one. */
export function writeIndexFile(path: string, data: IndexData): void {
  const text = JSON.stringify(encode(data));
  const temporary = `${path}.${Deno.pid}-${crypto.randomUUID()}.tmp`;
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  try {
    Deno.writeTextFileSync(temporary, text);
    Deno.renameSync(temporary, path);
  } catch (error) {
    try {
      Deno.removeSync(temporary);
    } catch {
      // It was not written.
    }
    throw error;
  }
}

function encode(data: IndexData): Document {
  const oldest = Math.floor(Date.now() / 86_400_000) - KEPT_DAYS;
  const snapshots = [...data.snapshots].filter(([, snapshot]) => snapshot.used >= oldest);
  const used = new Set(snapshots.flatMap(([, snapshot]) => snapshot.folders));
  const numbers = new Map<string, number>();
  const folders: [string, Row[]][] = [];
  for (const relative of used) {
    const entries = data.folders.get(relative);
    numbers.set(relative, folders.length);
    folders.push([relative, [...entries?.values() ?? []].map(rowOf)]);
  }
  return {
    version: VERSION,
    folders,
    snapshots: snapshots.map(([key, { root, folders, used }]) =>
      [key, root, folders.map((folder) => numbers.get(folder)!), used] as const
    ),
  };
}

function decode(document: Document): IndexData {
  const folders = new Map(document.folders.map(([relative, rows]) => {
    const entries = new Map<string, Indexed>();
    for (const row of rows) entries.set(row[0], entryOf(row));
    return [relative, entries];
  }));
  const snapshots = new Map(document.snapshots.map(([key, root, numbers, used]) => {
    const names = numbers.map((number) => document.folders[number]![0]);
    return [key, { root, folders: names, used }];
  }));
  return { folders, snapshots };
}

function rowOf(entry: Indexed): Row {
  const bits = TYPES.indexOf(entry.type) | (entry.executable ? 4 : 0) | (entry.settled ? 8 : 0);
  const { name, size, mtime, ctime, inode, content } = entry;
  return [name, bits, size, mtime, ctime, inode, content ?? null];
}

function entryOf([name, bits, size, mtime, ctime, inode, content]: Row): Indexed {
  return {
    name,
    type: TYPES[bits & 3]!,
    executable: (bits & 4) !== 0,
    settled: (bits & 8) !== 0,
    size,
    mtime,
    ctime,
    inode,
    ...(content === null ? {} : { content }),
  };
}
