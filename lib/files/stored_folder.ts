/**
 * What the index remembers of a folder: columns of numbers, so that a run in which nothing changed
 * compares stats without making an object for each file.
 */

import type { FolderStat, Indexed, Stat } from "./folders.ts";

/**
 * The entries of one or many folders, a column for each property. A folder's first row is the folder
 * itself.
 */
export interface Columns {
  readonly size: Float64Array;
  readonly mtime: Float64Array;
  readonly ctime: Float64Array;
  readonly inode: Float64Array;
  /** Type in the lowest two bits, then the flags below. */
  readonly bits: Uint8Array;
  /** 32 bytes an entry: a file's sha256. */
  readonly digests: Uint8Array;
  /** Position → a link's target. */
  readonly links: Map<number, string>;
}

const TYPES: readonly Stat["type"][] = ["file", "directory", "symlink", "other"];

const EXECUTABLE = 4, SETTLED = 8, HAS_CONTENT = 16;

/** Bytes of a digest. */
export const DIGEST_SIZE = 32;

/** Columns for so many entries, all zero. */
export function emptyColumns(count: number): Columns {
  return {
    size: new Float64Array(count),
    mtime: new Float64Array(count),
    ctime: new Float64Array(count),
    inode: new Float64Array(count),
    bits: new Uint8Array(count),
    digests: new Uint8Array(count * DIGEST_SIZE),
    links: new Map(),
  };
}

/** A folder's entries: a stretch of some columns. */
export class StoredFolder {
  /** How many entries it has. */
  readonly size: number;
  readonly #columns: Columns;
  readonly #first: number;
  readonly #joined: string;
  #names: readonly string[] | undefined;
  #entries: ReadonlyMap<string, Indexed> | undefined;

  /**
   * @param first row of the folder itself; its entries' follow.
   * @param joined the names, each followed by `/`.
   */
  constructor(columns: Columns, first: number, size: number, joined: string) {
    this.#columns = columns;
    this.#first = first;
    this.size = size;
    this.#joined = joined;
  }

  /** Stores a folder and its entries in columns of their own. */
  static of(entries: ReadonlyMap<string, Indexed>, own?: FolderStat): StoredFolder {
    const columns = emptyColumns(1 + entries.size);
    let row = 1;
    for (const entry of entries.values()) put(columns, row++, entry);
    const joined = [...entries.keys()].map((name) => `${name}/`).join("");
    const stored = new StoredFolder(columns, 0, entries.size, joined);
    stored.#entries = entries;
    if (own !== undefined) stored.keep(own);
    return stored;
  }

  /** The names, each followed by `/`. */
  get joined(): string {
    return this.#joined;
  }

  /** The name of an entry by its position. */
  name(at: number): string | undefined {
    return (this.#names ??= this.#joined.split("/"))[at];
  }

  /** How many rows it takes. */
  get rows(): number {
    return 1 + this.size;
  }

  /** What it remembers of the folder's own stat can be trusted. */
  get isSettled(): boolean {
    return (this.#columns.bits[this.#first]! & SETTLED) !== 0;
  }

  /** Says whether this is the folder's stat, by which it still holds the names it held. */
  hasNamesOf({ mtime, ctime, inode }: FolderStat): boolean {
    const columns = this.#columns;
    const row = this.#first;
    return this.isSettled && columns.mtime[row] === mtime &&
      columns.ctime[row] === ctime && columns.inode[row] === inode;
  }

  /** Keeps the stat under which the folder holds these names. */
  keep({ mtime, ctime, inode, settled }: FolderStat): void {
    const columns = this.#columns;
    const row = this.#first;
    columns.mtime[row] = mtime;
    columns.ctime[row] = ctime;
    columns.inode[row] = inode;
    columns.bits[row] = TYPES.indexOf("directory") | (settled ? SETTLED : 0);
  }

  /** Says whether an entry is a folder. */
  isFolder(at: number): boolean {
    return TYPES[this.#columns.bits[this.#first + 1 + at]! & 3] === "directory";
  }

  /** Says whether a stat is that of an entry, whose content is then as remembered. */
  isSame(at: number, stat: Stat): boolean {
    const { size, mtime, ctime, inode, bits } = this.#columns;
    const row = this.#first + 1 + at;
    const flags = bits[row]!;
    return mtime[row] === stat.mtime && size[row] === stat.size && ctime[row] === stat.ctime &&
      inode[row] === stat.inode && TYPES[flags & 3] === stat.type &&
      ((flags & EXECUTABLE) !== 0) === stat.executable &&
      (flags & (HAS_CONTENT | SETTLED)) !== HAS_CONTENT;
  }

  /** The entries by name. */
  entries(): ReadonlyMap<string, Indexed> {
    return this.#entries ??= new Map(
      Array.from({ length: this.size }, (_, at) => {
        const entry = this.#entry(at);
        return [entry.name, entry];
      }),
    );
  }

  /** Copies its rows into other columns. */
  copyTo(target: Columns, first: number): void {
    const { size, mtime, ctime, inode, bits, digests, links } = this.#columns;
    const [from, to] = [this.#first, this.#first + this.rows];
    target.size.set(size.subarray(from, to), first);
    target.mtime.set(mtime.subarray(from, to), first);
    target.ctime.set(ctime.subarray(from, to), first);
    target.inode.set(inode.subarray(from, to), first);
    target.bits.set(bits.subarray(from, to), first);
    target.digests.set(
      digests.subarray(from * DIGEST_SIZE, to * DIGEST_SIZE),
      first * DIGEST_SIZE,
    );
    for (let row = from; row < to; row++) {
      const link = TYPES[bits[row]! & 3] === "symlink" ? links.get(row) : undefined;
      if (link !== undefined) target.links.set(first + row - from, link);
    }
  }

  #entry(at: number): Indexed {
    const { size, mtime, ctime, inode, bits, digests, links } = this.#columns;
    const row = this.#first + 1 + at;
    const flags = bits[row]!;
    const type = TYPES[flags & 3]!;
    const entry = {
      name: this.name(at)!,
      type,
      executable: (flags & EXECUTABLE) !== 0,
      settled: (flags & SETTLED) !== 0,
      size: size[row]!,
      mtime: mtime[row]!,
      ctime: ctime[row]!,
      inode: inode[row]!,
    };
    if ((flags & HAS_CONTENT) === 0) return entry;
    const content = type === "symlink"
      ? links.get(row)!
      : digests.subarray(row * DIGEST_SIZE, (row + 1) * DIGEST_SIZE).toHex();
    return { ...entry, content };
  }
}

function put(columns: Columns, row: number, entry: Indexed): void {
  const { type, executable, settled, content } = entry;
  columns.size[row] = entry.size;
  columns.mtime[row] = entry.mtime;
  columns.ctime[row] = entry.ctime;
  columns.inode[row] = entry.inode;
  columns.bits[row] = TYPES.indexOf(type) | (executable ? EXECUTABLE : 0) |
    (settled ? SETTLED : 0) | (content === undefined ? 0 : HAS_CONTENT);
  if (content === undefined) return;
  if (type === "symlink") columns.links.set(row, content);
  else columns.digests.set(Uint8Array.fromHex(content), row * DIGEST_SIZE);
}
