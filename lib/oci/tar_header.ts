/**
 * Header blocks of a tar entry: USTAR where everything fits, else PAX in front of it, byte for byte
 * as Go's `archive/tar` writes them.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */

import { compareCodePoints } from "./json.ts";
import { encodePath } from "./path_text.ts";
import type { TarEntry } from "./tar.ts";
import { recordsOfAttributes } from "./xattrs.ts";

/** Size of a tar block, in bytes. */
export const BLOCK = 512;

const encoder = new TextEncoder();

const TYPE_FLAGS: Record<TarEntry["type"], Uint8Array> = {
  file: encoder.encode("0"),
  hardlink: encoder.encode("1"),
  symlink: encoder.encode("2"),
  character: encoder.encode("3"),
  block: encoder.encode("4"),
  directory: encoder.encode("5"),
  fifo: encoder.encode("6"),
};
const PAX_FLAG = encoder.encode("x");

/** Offsets and lengths of the header's fields, in bytes. */
const FIELD = {
  name: { offset: 0, length: 100 },
  mode: { offset: 100, length: 8 },
  uid: { offset: 108, length: 8 },
  gid: { offset: 116, length: 8 },
  size: { offset: 124, length: 12 },
  mtime: { offset: 136, length: 12 },
  checksum: { offset: 148, length: 8 },
  typeFlag: { offset: 156, length: 1 },
  linkName: { offset: 157, length: 100 },
  magic: { offset: 257, length: 8 },
  userName: { offset: 265, length: 32 },
  groupName: { offset: 297, length: 32 },
  deviceMajor: { offset: 329, length: 8 },
  deviceMinor: { offset: 337, length: 8 },
  prefix: { offset: 345, length: 155 },
} as const;

interface Field {
  readonly offset: number;
  readonly length: number;
}

/**
 * The header blocks of an entry whose content has this many bytes.
 *
 * @param block memory of one block, in which the last is made: most entries have no other.
 */
export function tarHeader(entry: TarEntry, size: number, block: Uint8Array): Uint8Array {
  const name = bytesOf(entry.path);
  const link = bytesOf(entry.linkTarget ?? "");
  const user = bytesOf(entry.uname ?? "");
  const group = bytesOf(entry.gname ?? "");
  const split = splitName(name);
  const nameFits = isAscii(name) && (name.length <= FIELD.name.length || split !== undefined);
  const records = new Map<string, Uint8Array>();
  if (!fits(link, FIELD.linkName)) records.set("linkpath", link);
  if (!fits(user, FIELD.userName)) records.set("uname", user);
  if (!fits(group, FIELD.groupName)) records.set("gname", group);
  if (!fitsOctal(entry.uid, FIELD.uid)) records.set("uid", decimal(entry.uid));
  if (!fitsOctal(entry.gid, FIELD.gid)) records.set("gid", decimal(entry.gid));
  if (!fitsOctal(size, FIELD.size)) records.set("size", decimal(size));
  if (!fitsOctal(entry.mtime, FIELD.mtime)) records.set("mtime", decimal(entry.mtime));
  if (entry.xattrs !== undefined) {
    for (const [key, value] of recordsOfAttributes(entry.xattrs)) records.set(key, value);
  }
  const usePax = records.size > 0 || !nameFits;
  // Once there are PAX records, a long name is one of them even if it could be split.
  if (usePax && !fits(name, FIELD.name)) records.set("path", name);
  const pax = usePax ? paxBlocks(name, records) : NOTHING;
  const fields = BLANK_HEADER.copyTo(block);
  const prefix = usePax ? undefined : split;
  fields.text(FIELD.name, prefix === undefined ? name : name.subarray(prefix + 1));
  fields.octal(FIELD.mode, entry.mode);
  fields.octal(FIELD.uid, entry.uid);
  fields.octal(FIELD.gid, entry.gid);
  fields.octal(FIELD.size, size);
  fields.octal(FIELD.mtime, entry.mtime);
  fields.text(FIELD.typeFlag, TYPE_FLAGS[entry.type]);
  fields.text(FIELD.linkName, link);
  fields.text(FIELD.userName, user);
  fields.text(FIELD.groupName, group);
  if (entry.device !== undefined) {
    fields.octal(FIELD.deviceMajor, entry.device[0]);
    fields.octal(FIELD.deviceMinor, entry.device[1]);
  }
  if (prefix !== undefined) fields.text(FIELD.prefix, name.subarray(0, prefix));
  fields.seal();
  return pax.length === 0 ? block : concat([pax, block]);
}

/** Where a name over 100 bytes can be cut in two at a slash; undefined where it need not or cannot. */
function splitName(name: Uint8Array): number | undefined {
  if (name.length <= FIELD.name.length || !isAscii(name)) return undefined;
  const limit = FIELD.prefix.length + 1;
  let end = name.length;
  if (end > limit) end = limit;
  else if (name[end - 1] === SLASH) end -= 1;
  const at = name.subarray(0, end).lastIndexOf(SLASH);
  const rest = name.length - at - 1;
  return at > 0 && at <= FIELD.prefix.length && rest > 0 && rest <= FIELD.name.length
    ? at
    : undefined;
}

/** A PAX header and its records, padded to whole blocks. */
function paxBlocks(name: Uint8Array, records: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const sorted = [...records].sort(([a], [b]) => compareCodePoints(a, b));
  const data = concat(sorted.map(([key, value]) => paxRecord(key, value)));
  const blocks = new Uint8Array(BLOCK + padded(data.length));
  const fields = BLANK_PAX.copyTo(blocks);
  fields.text(FIELD.name, paxName(name));
  fields.octal(FIELD.size, data.length);
  fields.text(FIELD.typeFlag, PAX_FLAG);
  fields.seal();
  blocks.set(data, BLOCK);
  return blocks;
}

/** One PAX record, `length key=value` and a newline, where the length counts itself. */
export function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const name = encodePath(key);
  const rest = name.length + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return concat([encoder.encode(`${length} `), name, EQUALS, value, NEWLINE]);
}

/** `dir/PaxHeaders.0/base`, cleaned as Go's `path.Join` does; only then it loses what is not ASCII. */
function paxName(name: Uint8Array): Uint8Array {
  const at = name.lastIndexOf(SLASH) + 1;
  const joined = concat([name.subarray(0, at), encoder.encode("PaxHeaders.0/"), name.subarray(at)]);
  const ascii = cleanPath(joined).filter((byte) => byte < 0x80).subarray(0, FIELD.name.length);
  let end = ascii.length;
  while (end > 0 && ascii[end - 1] === SLASH) end -= 1;
  return ascii.subarray(0, end);
}

/** Characters stand for bytes here, so that a name that is no UTF-8 stays as it is. */
function cleanPath(path: Uint8Array): Uint8Array {
  const text = Array.from(path, (byte) => String.fromCharCode(byte)).join("");
  const rooted = text.startsWith("/");
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !rooted) parts.push(part);
  }
  const cleaned = (rooted ? "/" : "") + parts.join("/") || ".";
  return Uint8Array.from(cleaned, (char) => char.charCodeAt(0));
}

/** One block, and the sum of its bytes while it is filled: most bytes of most headers are 0. */
class HeaderBlock {
  readonly #bytes: Uint8Array;
  #sum: number;

  private constructor(bytes: Uint8Array, sum: number) {
    this.#bytes = bytes;
    this.#sum = sum;
  }

  /** A block in which these numbers are 0, the magic is there, and the checksum is spaces. */
  static blank(numbers: readonly Field[]): HeaderBlock {
    const block = new HeaderBlock(new Uint8Array(BLOCK), 0);
    for (const { offset, length } of numbers) block.#put(offset, ZEROS.subarray(0, length - 1));
    block.#put(FIELD.magic.offset, MAGIC);
    block.#put(FIELD.checksum.offset, SPACES);
    return block;
  }

  copyTo(block: Uint8Array): HeaderBlock {
    block.set(this.#bytes);
    return new HeaderBlock(block, this.#sum);
  }

  /** Strings lose what is not ASCII and are cut; a cut may not leave a slash at the end. */
  text(field: Field, text: Uint8Array): void {
    if (text.length === 0) return;
    const { offset, length } = field;
    const ascii = isAscii(text) ? text : text.filter((byte) => byte < 0x80);
    if (ascii.length <= length) return this.#put(offset, ascii);
    let end = length;
    while (end > 0 && ascii[end - 1] === SLASH) end -= 1;
    const cut = new Uint8Array(ascii.subarray(0, length));
    if (end < length) cut[end] = 0;
    this.#put(offset, cut);
  }

  /** Numbers are zero-padded octal with a NUL; those that do not fit stay 0, for a PAX record. */
  octal(field: Field, value: number): void {
    if (!fitsOctal(value, field)) return;
    const { offset, length } = field;
    let rest = value;
    for (let at = offset + length - 2; rest > 0; at--) {
      const digit = rest % 8;
      this.#bytes[at] = ZERO + digit;
      this.#sum += digit;
      rest = Math.floor(rest / 8);
    }
  }

  /** Writes the checksum, which counts itself as spaces; the last of them stays. */
  seal(): void {
    const sum = this.#sum;
    const { offset, length } = FIELD.checksum;
    this.#put(offset, ZEROS.subarray(0, length - 2));
    this.#bytes[offset + length - 2] = 0;
    this.octal({ offset, length: length - 1 }, sum);
  }

  /** Writes where nothing but zeros is. */
  #put(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, offset);
    for (let at = 0; at < bytes.length; at++) this.#sum += bytes[at]!;
  }
}

function fitsOctal(value: number, { length }: Field): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

function fits(text: Uint8Array, { length }: Field): boolean {
  return text.length <= length && isAscii(text);
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! >= 0x80) return false;
  return true;
}

function decimal(value: number): Uint8Array {
  return encoder.encode(String(value));
}

/** Most fields of most entries are empty. */
function bytesOf(text: string | Uint8Array): Uint8Array {
  if (text === "") return NOTHING;
  return typeof text === "string" ? encodePath(text) : text;
}

/** A length rounded up to whole blocks. */
export function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const SLASH = 0x2f;
const ZERO = 0x30;
const EQUALS = encoder.encode("=");
const NEWLINE = encoder.encode("\n");
const NOTHING = new Uint8Array(0);
const MAGIC = encoder.encode("ustar\x0000");
const SPACES = encoder.encode(" ".repeat(FIELD.checksum.length));
const ZEROS = encoder.encode("0".repeat(FIELD.size.length));

const NUMBERS = [FIELD.mode, FIELD.uid, FIELD.gid, FIELD.size, FIELD.mtime];
const BLANK_PAX = HeaderBlock.blank(NUMBERS);
const BLANK_HEADER = HeaderBlock.blank([...NUMBERS, FIELD.deviceMajor, FIELD.deviceMinor]);
