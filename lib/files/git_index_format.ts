/**
 * The format of git's index: its entries, versions 2 to 4, and its extensions.
 *
 * @see https://git-scm.com/docs/index-format
 */

import { readBitmap } from "./ewah.ts";

/** Bytes of an entry's stat, before its object's name. */
const STAT = 40;
const MODE_AT = 24;
const EXTENDED = 0x4000;
const ASSUME_VALID = 0x8000;
const SKIP_WORKTREE = 0x4000;

/** Types of entries, in their modes. */
const TYPE = 0o170000;
const TREE = 0o040000;
const GITLINK = 0o160000;

/** What an entry stands for: a file or link, a submodule's commit, a whole folder of a sparse index. */
export type EntryKind = "file" | "submodule" | "folder";

/** One entry of an index. */
export interface IndexEntry {
  /** Path below the top folder; empty where it takes the place of a shared index's entry. */
  readonly path: string;
  readonly kind: EntryKind;
  /** Git is told not to compare it with the work tree. */
  readonly unwatched: boolean;
}

/** An index file by itself. */
export interface IndexFile {
  readonly entries: readonly IndexEntry[];
  /** The file that it says the differences to; undefined where it stands alone. */
  readonly link?: SharedIndexLink;
}

/** Where a split index points, and what it takes back of that. */
export interface SharedIndexLink {
  /** Hex digits in the name of the shared index file. */
  readonly base: string;
  /** Positions of the base's entries that are gone. */
  readonly deleted: readonly number[];
  /** Positions of the base's entries that the split index's first entries replace, in this order. */
  readonly replaced: readonly number[];
}

/**
 * Parses an index file.
 *
 * @param hashLength bytes of an object's name: 20 of SHA-1, 32 of SHA-256.
 * @returns undefined for what is no index, or one that needs an extension not known here.
 * @throws {RangeError} when it is cut short.
 */
export function parseIndexFile(bytes: Uint8Array, hashLength: number): IndexFile | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x44495243) return undefined;
  const version = view.getUint32(4);
  if (version < 2 || version > 4) return undefined;
  const { entries, end } = readEntries(bytes, view, version, hashLength);
  let link: SharedIndexLink | undefined;
  const checksum = bytes.length - hashLength;
  let at = end;
  while (at + 8 <= checksum) {
    const name = new TextDecoder().decode(bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4);
    if (name === "link") link = readLink(bytes.subarray(at + 8, at + 8 + size), hashLength);
    // A name that begins with a capital letter is that of something that can be passed over.
    else if (name !== "sdir" && !/^[A-Z]/.test(name)) return undefined;
    at += 8 + size;
  }
  // Of an index that is cut short between two extensions nobody knows which one is missing.
  if (at !== checksum) return undefined;
  return link === undefined ? { entries } : { entries, link };
}

/** All entries once a split index's differences are applied to its base. */
export function mergeSplitIndex(
  entries: readonly IndexEntry[],
  { deleted, replaced }: SharedIndexLink,
  base: readonly IndexEntry[],
): readonly IndexEntry[] {
  const merged: (IndexEntry | undefined)[] = [...base];
  for (const [at, position] of replaced.entries()) {
    const [before, entry] = [base[position], entries[at]];
    if (before === undefined || entry === undefined) {
      throw new RangeError("A split index replaces what its base does not have");
    }
    merged[position] = { ...entry, path: before.path };
  }
  for (const position of deleted) merged[position] = undefined;
  return [...merged.filter((entry) => entry !== undefined), ...entries.slice(replaced.length)];
}

function readEntries(
  bytes: Uint8Array,
  view: DataView,
  version: number,
  hashLength: number,
): { readonly entries: IndexEntry[]; readonly end: number } {
  const entries: IndexEntry[] = [];
  const decoder = new TextDecoder();
  const fixed = STAT + hashLength;
  let at = 12;
  let path = new Uint8Array(0);
  for (let left = view.getUint32(8); left > 0; left--) {
    const start = at;
    const flags = view.getUint16(at + fixed);
    at += fixed + 2;
    let unwatched = (flags & ASSUME_VALID) !== 0;
    if ((flags & EXTENDED) !== 0) {
      unwatched ||= (view.getUint16(at) & SKIP_WORKTREE) !== 0;
      at += 2;
    }
    let keep = 0;
    if (version === 4) {
      const strip = readVarint(bytes, at);
      keep = path.length - strip.value;
      at = strip.next;
    }
    const end = bytes.indexOf(0, at);
    if (end < 0 || keep < 0) throw new RangeError("An entry of an index has no end");
    const whole = new Uint8Array(keep + end - at);
    whole.set(path.subarray(0, keep));
    whole.set(bytes.subarray(at, end), keep);
    path = whole;
    const kind = kindOf(view.getUint32(start + MODE_AT));
    entries.push({ path: decoder.decode(path), kind, unwatched });
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
  }
  return { entries, end: at };
}

function kindOf(mode: number): EntryKind {
  const type = mode & TYPE;
  return type === GITLINK ? "submodule" : type === TREE ? "folder" : "file";
}

/** Git's varint of offsets: each further byte adds one before it shifts. */
function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let byte = bytes[at++]!;
  let value = byte & 0x7f;
  while (byte & 0x80) {
    byte = bytes[at++]!;
    value = ((value + 1) << 7) | (byte & 0x7f);
  }
  return { value, next: at };
}

/** Reads the extension of a split index; a base of zeros is none. */
function readLink(bytes: Uint8Array, hashLength: number): SharedIndexLink | undefined {
  const base = bytes.subarray(0, hashLength).toHex();
  if (/^0*$/.test(base)) return undefined;
  if (bytes.length === hashLength) return { base, deleted: [], replaced: [] };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const deleted = readBitmap(view, hashLength);
  const replaced = readBitmap(view, deleted.end);
  return { base, deleted: deleted.positions, replaced: replaced.positions };
}
