/**
 * The index on disk, replaced whole. Its form is chosen for reading: a short JSON document with the
 * folders' names, then columns of numbers that are used as they are.
 *
 * In order: length of the document as 32 bits, a sum of all that follows as 32 bits, the document,
 * zeros up to a multiple of 8, then for all rows four 64-bit floats (size, mtime, ctime, inode), flags
 * as bytes, digests of 32 bytes. Numbers have the machine's byte order: an index does not travel.
 */

import { sumOf } from "../model/sealed.ts";
import { TemporaryFile } from "../util/temporary.ts";
import { Folder } from "./folder.ts";
import type { Snapshot } from "./index.ts";
import { Rows } from "./rows.ts";

/** What the index holds. */
export interface IndexData {
  /** By path, relative to the project's folder; undefined where one was looked for and not there. */
  readonly folders: Map<string, Folder | undefined>;
  /** Selections as text → their root. */
  readonly snapshots: Map<string, Snapshot>;
}

/** Raised when the format changes; others are read as empty. */
const VERSION = 6;

/** Bytes before the document. */
const HEADER = 8;

/** Days after which a root that nobody asked for is forgotten. */
const KEPT_DAYS = 30;

interface Document {
  readonly version: number;
  /** The copy of the state that it was written into. */
  readonly origin: string;
  /** How many rows the columns have. */
  readonly count: number;
  /** Path, how many entries (-1 where there is no such folder), their names. */
  readonly folders: readonly (readonly [string, number, string])[];
  /** Selections, root, numbers of folders, day of use. */
  readonly snapshots: readonly (readonly [string, string, readonly number[], number])[];
  /** Row of an entry, target of the link. */
  readonly links: readonly (readonly [number, string])[];
}

/**
 * Reads the index; one that is missing, damaged or of another version is empty.
 *
 * @param origin identifies this copy of the state: an index that came with another one is empty too.
 */
export function readIndexFile(path: string, origin = ""): IndexData {
  try {
    const bytes = Deno.readFileSync(path);
    const [length, sum] = new Uint32Array(bytes.buffer, 0, 2);
    const end = HEADER + length!;
    if (sum === sumOf(bytes.subarray(HEADER))) {
      const document = JSON.parse(
        new TextDecoder().decode(bytes.subarray(HEADER, end)),
      ) as Document;
      const isOurs = document.version === VERSION && document.origin === origin;
      if (isOurs) return decode(document, bytes.buffer, aligned(end));
    }
  } catch (error) {
    const isMiss = error instanceof Deno.errors.NotFound || error instanceof SyntaxError ||
      error instanceof TypeError || error instanceof RangeError;
    if (!isMiss) throw error;
  }
  return { folders: new Map(), snapshots: new Map() };
}

/** Writes the index so that a reader sees the old one or the new one. */
export function writeIndexFile(path: string, data: IndexData, origin = ""): void {
  const { document, rows } = encode(data, origin);
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  using temporary = TemporaryFile.create(path);
  temporary.write(document);
  temporary.write(rows);
  temporary.moveTo(path);
}

function encode(
  data: IndexData,
  origin: string,
): { readonly document: Uint8Array; readonly rows: Uint8Array } {
  const oldest = Math.floor(Date.now() / 86_400_000) - KEPT_DAYS;
  const snapshots = [...data.snapshots].filter(([, snapshot]) => snapshot.used >= oldest);
  const numbers = new Map<string, number>();
  for (const [, { folders }] of snapshots) {
    for (const path of folders) if (!numbers.has(path)) numbers.set(path, numbers.size);
  }
  const used = [...numbers.keys()];
  const stored = used.map((path) => data.folders.get(path));
  const rows = new Rows(stored.reduce((sum, folder) => sum + rowsOf(folder?.size ?? -1), 0));
  for (const { from, first, count } of stretches(stored)) rows.append(from, first, count);
  const document: Document = {
    version: VERSION,
    origin,
    count: rows.count,
    folders: used.map((path, at) => [path, stored[at]?.size ?? -1, stored[at]?.joined ?? ""]),
    snapshots: snapshots.map(([key, { root, folders, used }]) =>
      [key, root, folders.map((folder) => numbers.get(folder)!), used] as const
    ),
    links: [...rows.links],
  };
  return { document: framed(JSON.stringify(document), rows.bytes), rows: rows.bytes };
}

/** A folder itself and its entries; nothing of one that is not there. */
function rowsOf(size: number): number {
  return size < 0 ? 0 : 1 + size;
}

/** The folders' rows in this order; what was listed one after the other is one stretch. */
function* stretches(folders: readonly (Folder | undefined)[]) {
  let [from, first, count] = [new Rows(0), 0, 0];
  for (const folder of folders) {
    if (folder === undefined) continue;
    if (folder.rows !== from || folder.first !== first + count) {
      yield { from, first, count };
      [from, first, count] = [folder.rows, folder.first, 0];
    }
    count += rowsOf(folder.size);
  }
  yield { from, first, count };
}

/** The document after its length and the sum of it and the rows, filled up with zeros. */
function framed(document: string, rows: Uint8Array): Uint8Array {
  const whole = new Uint8Array(aligned(HEADER + 3 * document.length));
  const { written } = new TextEncoder().encodeInto(document, whole.subarray(HEADER));
  const bytes = whole.subarray(0, aligned(HEADER + written));
  const sum = sumOf(rows, rows.length, sumOf(bytes.subarray(HEADER)));
  new Uint32Array(bytes.buffer, 0, 2).set([written, sum]);
  return bytes;
}

function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}

function decode(document: Document, bytes: ArrayBuffer, begin: number): IndexData {
  const rows = new Rows(document.count, bytes, begin, new Map(document.links));
  const folders = new Map<string, Folder | undefined>();
  let first = 0;
  for (const [path, size, joined] of document.folders) {
    folders.set(path, size < 0 ? undefined : Folder.stored(rows, first, size, joined));
    first += rowsOf(size);
  }
  if (first !== document.count) throw new RangeError("Not as many rows as there should be");
  const snapshots = new Map(document.snapshots.map(([key, root, numbers, used]) => {
    const names = numbers.map((number) => document.folders[number]![0]);
    return [key, { root, folders: names, used }];
  }));
  return { folders, snapshots };
}
