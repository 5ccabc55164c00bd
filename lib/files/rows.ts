/**
 * What is known of entries, as rows of numbers: neither a run in which nothing changed nor one that
 * reads ten thousands of files makes an object for each.
 */

/** What an entry is; as a row has it, and as trees name it. */
const TYPES = ["file", "directory", "symlink", "other"] as const;

type EntryType = (typeof TYPES)[number];

const FILE = 0, DIRECTORY = 1, SYMLINK = 2, OTHER = 3, TYPE = 3;
const EXECUTABLE = 4, SETTLED = 8, HAS_CONTENT = 16, UNSEEN = 32;

const DIGEST_SIZE = 32;

/** Numbers of a row: size in bytes, mtime and ctime in milliseconds since 1970, inode. */
const NUMBERS = 4;

/** Bytes of a row. */
const ROW_SIZE = NUMBERS * Float64Array.BYTES_PER_ELEMENT + 1 + DIGEST_SIZE;

/**
 * Deno cuts a file's times: changes within this many milliseconds of a reading may show no
 * difference, so what was read by then is read again.
 */
const SETTLING = 2_000;

/** Says whether a stat with these times shows any change that comes later than `now`. */
function isLongAgo(mtime: number, ctime: number, now: number): boolean {
  return Math.max(mtime, ctime) < now - SETTLING;
}

/** A block of rows; taken are the first ones. */
export class Rows {
  /** All of them, as they are stored. */
  readonly bytes: Uint8Array;
  /** How many are taken. */
  count = 0;
  readonly #numbers: Float64Array;
  /** Type in the lowest two bits, then the flags above. */
  readonly #bits: Uint8Array;
  readonly #digests: Uint8Array;
  /** Row → a link's target. */
  readonly links: Map<number, string>;

  /**
   * Rows in these bytes: all their numbers, then all flags, then all digests.
   *
   * @param at where they begin, a multiple of 8.
   * @throws {RangeError} when the bytes do not end with them.
   */
  constructor(
    capacity: number,
    buffer: ArrayBuffer = new ArrayBuffer(capacity * ROW_SIZE),
    at = 0,
    links: Map<number, string> = new Map(),
  ) {
    if (buffer.byteLength !== at + capacity * ROW_SIZE) throw new RangeError("Cut off");
    const bits = at + capacity * NUMBERS * Float64Array.BYTES_PER_ELEMENT;
    this.bytes = new Uint8Array(buffer, at);
    this.#numbers = new Float64Array(buffer, at, capacity * NUMBERS);
    this.#bits = new Uint8Array(buffer, bits, capacity);
    this.#digests = new Uint8Array(buffer, bits + capacity);
    this.links = links;
  }

  /** How many more rows there may be. */
  get room(): number {
    return this.#bits.length - this.count;
  }

  /** Takes copies of some other rows. */
  append(other: Rows, first: number, count: number): void {
    const [end, to] = [first + count, this.count];
    this.#numbers.set(other.#numbers.subarray(first * NUMBERS, end * NUMBERS), to * NUMBERS);
    this.#bits.set(other.#bits.subarray(first, end), to);
    const digests = other.#digests.subarray(first * DIGEST_SIZE, end * DIGEST_SIZE);
    this.#digests.set(digests, to * DIGEST_SIZE);
    for (let row = first; other.links.size > 0 && row < end; row++) {
      const target = other.type(row) === "symlink" ? other.links.get(row) : undefined;
      if (target !== undefined) this.links.set(to + row - first, target);
    }
    this.count += count;
  }

  /** What an entry is. */
  type(row: number): EntryType {
    return TYPES[this.#bits[row]! & TYPE]!;
  }

  /** Its owner may execute it; only ever true of files. */
  isExecutable(row: number): boolean {
    return (this.#bits[row]! & EXECUTABLE) !== 0;
  }

  /** Size of a file in bytes, else 0. */
  size(row: number): number {
    return this.#numbers[row * NUMBERS]!;
  }

  /** What it holds is not known, or may have changed since without a trace. */
  mustRead(row: number): boolean {
    const bits = this.#bits[row]!;
    return (bits & TYPE) !== DIRECTORY &&
      (bits & (HAS_CONTENT | SETTLED)) !== (HAS_CONTENT | SETTLED);
  }

  /** sha256 of a file as 64 hex digits, or a link's target; undefined where nobody asked yet. */
  content(row: number): string | undefined {
    const bits = this.#bits[row]!;
    if ((bits & HAS_CONTENT) === 0) return undefined;
    if ((bits & TYPE) === SYMLINK) return this.links.get(row);
    return this.#digests.subarray(row * DIGEST_SIZE, (row + 1) * DIGEST_SIZE).toHex();
  }

  /**
   * Keeps what an entry holds. Where it has changed since it was looked at, its stat is another by
   * now, and the next look reads it again.
   *
   * @param begun when reading it began.
   * @returns whether a later change will show in the stat.
   */
  setContent(row: number, content: string, begun: number): boolean {
    const at = row * NUMBERS;
    const settled = isLongAgo(this.#numbers[at + 1]!, this.#numbers[at + 2]!, begun);
    const known = settled ? HAS_CONTENT | SETTLED : HAS_CONTENT;
    const bits = (this.#bits[row]! & (TYPE | EXECUTABLE)) | known;
    this.#bits[row] = bits;
    if ((bits & TYPE) === SYMLINK) this.links.set(row, content);
    else this.#digests.subarray(row * DIGEST_SIZE, (row + 1) * DIGEST_SIZE).setFromHex(content);
    return settled;
  }

  /** Makes a row that of a file that nobody has looked at: its stat comes when it is read. */
  setUnseen(row: number): void {
    this.#bits[row] = FILE | UNSEEN;
  }

  /** Says whether nothing but the name and type of a file is known. */
  isUnseen(row: number): boolean {
    return (this.#bits[row]! & (UNSEEN | TYPE)) === UNSEEN;
  }

  /** Makes a row that of an entry which cannot be looked at by the name it was listed under. */
  setNameless(row: number): void {
    this.#numbers.fill(0, row * NUMBERS, (row + 1) * NUMBERS);
    this.#bits[row] = OTHER | UNSEEN;
  }

  /** Says whether an entry's name is not UTF-8, so that nothing can be known of it. */
  isNameless(row: number): boolean {
    return this.#bits[row] === (OTHER | UNSEEN);
  }

  /** Makes a row that of a folder in a folder: only the name counts, what is in it is looked at by itself. */
  setFolder(row: number): void {
    this.#numbers.fill(0, row * NUMBERS, (row + 1) * NUMBERS);
    this.#bits[row] = DIRECTORY;
  }

  /** Makes a row that of an entry of which nothing but the stat is known. */
  setStat(row: number, info: Deno.FileInfo): void {
    if (info.isDirectory) return this.setFolder(row);
    const numbers = this.#numbers;
    const at = row * NUMBERS;
    numbers[at] = info.isFile ? info.size : 0;
    numbers[at + 1] = timeOf(info.mtime);
    numbers[at + 2] = timeOf(info.ctime);
    numbers[at + 3] = info.ino ?? 0;
    this.#bits[row] = bitsOf(info);
  }

  /** Says whether this is the stat of an entry, whose content can then be trusted. */
  isStat(row: number, info: Deno.FileInfo): boolean {
    const numbers = this.#numbers;
    const at = row * NUMBERS;
    const bits = this.#bits[row]!;
    return numbers[at + 1] === timeOf(info.mtime) && numbers[at + 2] === timeOf(info.ctime) &&
      numbers[at] === (info.isFile ? info.size : 0) && numbers[at + 3] === (info.ino ?? 0) &&
      (bits & (TYPE | EXECUTABLE | UNSEEN)) === bitsOf(info) &&
      (bits & (HAS_CONTENT | SETTLED)) !== HAS_CONTENT;
  }

  /** Takes over what another row knows of an entry, if both have the same stat. */
  inherit(row: number, other: Rows, from: number): boolean {
    const [numbers, theirs] = [this.#numbers, other.#numbers];
    const [at, there] = [row * NUMBERS, from * NUMBERS];
    for (let column = 0; column < NUMBERS; column++) {
      if (numbers[at + column] !== theirs[there + column]) return false;
    }
    const known = other.#bits[from]!;
    if (this.#bits[row] !== (known & (TYPE | EXECUTABLE | UNSEEN))) return false;
    this.#bits[row] = known;
    if ((known & HAS_CONTENT) === 0) return true;
    if ((known & TYPE) === SYMLINK) this.links.set(row, other.links.get(from)!);
    else {
      const digest = other.#digests.subarray(from * DIGEST_SIZE, (from + 1) * DIGEST_SIZE);
      this.#digests.set(digest, row * DIGEST_SIZE);
    }
    return true;
  }

  /** Makes a row that of a folder itself; undefined where nobody asked for its stat. */
  setOwn(row: number, own: FolderStat | undefined): void {
    this.setFolder(row);
    if (own === undefined) return;
    const at = row * NUMBERS;
    this.#numbers[at + 1] = own.mtime;
    this.#numbers[at + 2] = own.ctime;
    this.#numbers[at + 3] = own.inode;
    if (own.settled) this.#bits[row] = DIRECTORY | SETTLED;
  }

  /** Says whether this is a folder's own stat, and can be trusted. */
  isOwn(row: number, { mtime, ctime, inode }: FolderStat): boolean {
    const numbers = this.#numbers;
    const at = row * NUMBERS;
    return this.isSettled(row) && numbers[at + 1] === mtime && numbers[at + 2] === ctime &&
      numbers[at + 3] === inode;
  }

  /** It was looked at long enough after the last change that a later one shows in the stat. */
  isSettled(row: number): boolean {
    return (this.#bits[row]! & SETTLED) !== 0;
  }
}

/** A folder's own stat: while it is the same, so are the names in the folder. */
export interface FolderStat {
  /** Milliseconds since 1970, as all times here. */
  readonly mtime: number;
  readonly ctime: number;
  readonly inode: number;
  /** The folder was looked at long enough after the last change that a later one shows here. */
  readonly settled: boolean;
}

/** The own stat of a folder that is listed now. */
export function folderStat(info: Deno.FileInfo): FolderStat {
  // What has no time is never settled.
  const [mtime, ctime] = [info.mtime?.getTime() ?? Infinity, info.ctime?.getTime() ?? Infinity];
  return { mtime, ctime, inode: info.ino ?? 0, settled: isLongAgo(mtime, ctime, Date.now()) };
}

function timeOf(date: Date | null): number {
  return date === null ? 0 : date.getTime();
}

function bitsOf(info: Deno.FileInfo): number {
  if (info.isFile) return FILE | (((info.mode ?? 0) & 0o100) === 0 ? 0 : EXECUTABLE);
  return info.isSymlink ? SYMLINK : info.isDirectory ? DIRECTORY : OTHER;
}
