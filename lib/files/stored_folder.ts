/**
 * What the index remembers of a folder: columns of numbers, so that a run in which nothing changed
 * compares stats without making an object for each file.
 */

import type { FolderStat, Indexed, KnownFolder, Stat } from "./folders.ts";

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

/** A folder as it was read from the index: a stretch of some columns. */
export class StoredFolder implements KnownFolder {
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

  get joined(): string {
    return this.#joined;
  }

  name(at: number): string | undefined {
    return (this.#names ??= this.#joined.split("/"))[at];
  }

  get isSettled(): boolean {
    return (this.#columns.bits[this.#first]! & SETTLED) !== 0;
  }

  hasNamesOf({ mtime, ctime, inode }: FolderStat): boolean {
    const columns = this.#columns;
    const row = this.#first;
    return this.isSettled && columns.mtime[row] === mtime &&
      columns.ctime[row] === ctime && columns.inode[row] === inode;
  }

  keep(own: FolderStat): void {
    putFolder(this.#columns, this.#first, own);
  }

  isFolder(at: number): boolean {
    return TYPES[this.#columns.bits[this.#first + 1 + at]! & 3] === "directory";
  }

  isSame(at: number, stat: Stat): boolean {
    const { size, mtime, ctime, inode, bits } = this.#columns;
    const row = this.#first + 1 + at;
    const flags = bits[row]!;
    return mtime[row] === stat.mtime && size[row] === stat.size && ctime[row] === stat.ctime &&
      inode[row] === stat.inode && TYPES[flags & 3] === stat.type &&
      ((flags & EXECUTABLE) !== 0) === stat.executable &&
      (flags & (HAS_CONTENT | SETTLED)) !== HAS_CONTENT;
  }

  entries(): ReadonlyMap<string, Indexed> {
    return this.#entries ??= new Map(
      Array.from({ length: this.size }, (_, at) => {
        const entry = this.#entry(at);
        return [entry.name, entry];
      }),
    );
  }

  copyTo(target: Columns, first: number): void {
    const { size, mtime, ctime, inode, bits, digests, links } = this.#columns;
    const [from, to] = [this.#first, this.#first + 1 + this.size];
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

/** Fills the row of a folder itself. */
export function putFolder(columns: Columns, row: number, own: FolderStat): void {
  columns.mtime[row] = own.mtime;
  columns.ctime[row] = own.ctime;
  columns.inode[row] = own.inode;
  columns.bits[row] = TYPES.indexOf("directory") | (own.settled ? SETTLED : 0);
}

/** Fills the row of an entry. */
export function put(columns: Columns, row: number, entry: Indexed): void {
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
