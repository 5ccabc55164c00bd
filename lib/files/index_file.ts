/**
 * The index on disk, replaced whole. Its form is chosen for reading: a short JSON document with the
 * folders' names, then columns of numbers that are used as they are.
 *
 * In order: length of the document as 32 bits, the document, zeros up to a multiple of 8, then for
 * all rows size, mtime, ctime and inode as 64-bit floats, flags as bytes, digests of 32 bytes.
 * Numbers have the machine's byte order: an index does not travel.
 */

import type { KnownFolder } from "./folders.ts";
import type { Snapshot } from "./index.ts";
import { type Columns, DIGEST_SIZE, emptyColumns, StoredFolder } from "./stored_folder.ts";

/** What the index holds. */
export interface IndexData {
  /** By path, relative to the project's folder. */
  readonly folders: Map<string, KnownFolder>;
  /** Selections as text → their root. */
  readonly snapshots: Map<string, Snapshot>;
}

/** Raised when the format changes; others are read as empty. */
const VERSION = 3;

/** Days after which a root that nobody asked for is forgotten. */
const KEPT_DAYS = 30;

interface Document {
  readonly version: number;
  /** How many rows the columns have. */
  readonly count: number;
  /** Path, how many entries, their names. */
  readonly folders: readonly (readonly [string, number, string])[];
  /** Selections, root, numbers of folders, day of use. */
  readonly snapshots: readonly (readonly [string, string, readonly number[], number])[];
  /** Row of an entry, target of the link. */
  readonly links: readonly (readonly [number, string])[];
}

/** Reads the index; one that is missing, damaged or of another version is empty. */
export function readIndexFile(path: string): IndexData {
  try {
    const bytes = Deno.readFileSync(path);
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const text = new TextDecoder().decode(bytes.subarray(4, 4 + length));
    const document = JSON.parse(text) as Document;
    if (document.version === VERSION) {
      return decode(document, columnsIn(bytes, aligned(4 + length), document));
    }
  } catch (error) {
    const isMiss = error instanceof Deno.errors.NotFound || error instanceof SyntaxError ||
      error instanceof TypeError || error instanceof RangeError;
    if (!isMiss) throw error;
  }
  return { folders: new Map(), snapshots: new Map() };
}

/** Writes the index so that a reader sees the old one or the new one. */
export function writeIndexFile(path: string, data: IndexData): void {
  const bytes = encode(data);
  const temporary = `${path}.${Deno.pid}-${crypto.randomUUID()}.tmp`;
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  try {
    Deno.writeFileSync(temporary, bytes);
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

function encode(data: IndexData): Uint8Array {
  const oldest = Math.floor(Date.now() / 86_400_000) - KEPT_DAYS;
  const snapshots = [...data.snapshots].filter(([, snapshot]) => snapshot.used >= oldest);
  const used = [...new Set(snapshots.flatMap(([, snapshot]) => snapshot.folders))];
  const stored = used.map((path) => data.folders.get(path));
  const count = stored.reduce((sum, folder) => sum + rowsOf(folder?.size), 0);
  const columns = emptyColumns(count);
  let first = 0;
  for (const folder of stored) {
    folder?.copyTo(columns, first);
    first += rowsOf(folder?.size);
  }
  const numbers = new Map(used.map((path, at) => [path, at]));
  const document: Document = {
    version: VERSION,
    count,
    folders: used.map((path, at) => [path, stored[at]?.size ?? -1, stored[at]?.joined ?? ""]),
    snapshots: snapshots.map(([key, { root, folders, used }]) =>
      [key, root, folders.map((folder) => numbers.get(folder)!), used] as const
    ),
    links: [...columns.links],
  };
  return join(new TextEncoder().encode(JSON.stringify(document)), columns);
}

/** A folder itself and its entries; nothing of one that is not there. */
function rowsOf(size: number | undefined): number {
  return size === undefined ? 0 : 1 + size;
}

function join(document: Uint8Array, columns: Columns): Uint8Array {
  const { size, mtime, ctime, inode, bits, digests } = columns;
  const parts = [size, mtime, ctime, inode, bits, digests];
  const begin = aligned(4 + document.length);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, begin));
  new DataView(bytes.buffer).setUint32(0, document.length, true);
  bytes.set(document, 4);
  let at = begin;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer), at);
    at += part.byteLength;
  }
  return bytes;
}

function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}

/** @throws {RangeError} when there are not as many bytes as the document says. */
function columnsIn(bytes: Uint8Array, begin: number, { count, links }: Document): Columns {
  const { buffer } = bytes;
  const floats = (column: number) => new Float64Array(buffer, begin + column * 8 * count, count);
  const flags = begin + 32 * count;
  if (bytes.length !== flags + count + count * DIGEST_SIZE) throw new RangeError("Cut off");
  return {
    size: floats(0),
    mtime: floats(1),
    ctime: floats(2),
    inode: floats(3),
    bits: bytes.subarray(flags, flags + count),
    digests: bytes.subarray(flags + count),
    links: new Map(links),
  };
}

function decode(document: Document, columns: Columns): IndexData {
  const folders = new Map<string, KnownFolder>();
  let first = 0;
  for (const [path, size, joined] of document.folders) {
    if (size < 0) continue;
    folders.set(path, new StoredFolder(columns, first, size, joined));
    first += rowsOf(size);
  }
  if (first !== document.count) throw new RangeError("Not as many rows as there should be");
  const snapshots = new Map(document.snapshots.map(([key, root, numbers, used]) => {
    const names = numbers.map((number) => document.folders[number]![0]);
    return [key, { root, folders: names, used }];
  }));
  return { folders, snapshots };
}
