/**
 * The fields of a tar header that any tool wrote, read and written again in place.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 * @see https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */

import { Fault } from "../model/errors.ts";
import { decodePath } from "./path_text.ts";
import { BLOCK, padded, paxRecord } from "./tar_header.ts";
import { attributeOfRecord, isMachineAttribute } from "./xattrs.ts";

/** A header block and what it says. */
export interface Header {
  readonly block: Uint8Array;
  /** As {@link decodePath} gives it, as are all names. */
  readonly path: string;
  readonly linkTarget: string;
  /** The type flag; an old archive's NUL is a file, or a folder where its name ends in a slash. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** Type flag of records for the next entry. */
export const PAX_TYPE = "x";

const NAME = [0, 100] as const;
const MODE = [100, 8] as const;
const UID = [108, 8] as const;
const GID = [116, 8] as const;
const SIZE = [124, 12] as const;
const MTIME = [136, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const LINK_NAME = [157, 100] as const;
const MAGIC = 257;
const OWNER_NAMES = [265, 64] as const;
const DEVICE_MAJOR = [329, 8] as const;
const DEVICE_MINOR = [337, 8] as const;
const PREFIX = [345, 155] as const;
/** Schily tar keeps times behind a shorter prefix, and marks that at the end of the block. */
const STAR_PREFIX = [345, 131] as const;
const STAR_MARK = 508;
/** Times of access and change, where GNU tar keeps them instead of a prefix. */
const GNU_TIMES = [345, 24] as const;

/** Records that depend on the clock or the machine: whole seconds of a time are in the header. */
const DROPPED = /^(?:[acm]time|LIBARCHIVE\.creationtime|[ug]name)$/;

type Field = readonly [offset: number, length: number];

/** Says whether a block is one of those that end an archive. */
export function isEnd(block: Uint8Array): boolean {
  for (let at = 0; at < block.length; at++) if (block[at] !== 0) return false;
  return true;
}

/** Says whether a block is a header whose checksum is right. */
export function isHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK || isEnd(block)) return false;
  try {
    return hasChecksum(block);
  } catch {
    return false;
  }
}

/** Reads a header block. @throws {Fault} where it is none. */
export function readHeader(block: Uint8Array): Header {
  if (!hasChecksum(block)) {
    throw new Fault("Cannot read the archive: the checksum of a header is wrong");
  }
  const prefix = prefixOf(block);
  const name = textAt(block, NAME);
  return {
    block,
    path: prefix === "" ? name : `${prefix}/${name}`,
    linkTarget: textAt(block, LINK_NAME),
    type: block[TYPE] === 0 ? name.endsWith("/") ? "5" : "0" : String.fromCharCode(block[TYPE]!),
    mode: numberAt(block, MODE) & 0o7777,
    uid: numberAt(block, UID),
    gid: numberAt(block, GID),
    size: numberAt(block, SIZE),
    mtime: numberAt(block, MTIME),
  };
}

/** Numbers of a device; 0 where the format has no place for them. */
export function deviceOf({ block }: Header): [major: number, minor: number] {
  if (!isGnu(block) && !isUstar(block)) return [0, 0];
  return [numberAt(block, DEVICE_MAJOR), numberAt(block, DEVICE_MINOR)];
}

/** The header again with this time, and without names of owners. */
export function rewriteHeader(header: Pick<Header, "block">, mtime: number): Uint8Array {
  const block = header.block.slice();
  clear(block, OWNER_NAMES);
  if (isGnu(block)) clear(block, GNU_TIMES);
  putNumber(block, MTIME, mtime);
  seal(block);
  return block;
}

/** A PAX header again with what is left of its records; nothing where nothing is left. */
export function rewritePax(
  header: Pick<Header, "block">,
  records: Iterable<readonly [key: string, value: Uint8Array]>,
): Uint8Array {
  const kept = [...new Map(records)].filter(([key]) => {
    const attribute = attributeOfRecord(key);
    return attribute === undefined ? !DROPPED.test(key) : !isMachineAttribute(attribute);
  });
  if (kept.length === 0) return new Uint8Array(0);
  const parts = kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) =>
    paxRecord(key, value)
  );
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const blocks = new Uint8Array(BLOCK + padded(size));
  const block = header.block.slice();
  putNumber(block, SIZE, size);
  blocks.set(rewriteHeader({ block }, 0));
  let at = BLOCK;
  for (const part of parts) {
    blocks.set(part, at);
    at += part.length;
  }
  return blocks;
}

/** Reads `length key=value\n` records in their order. @throws {Fault} where they are malformed. */
export function readPaxRecords(data: Uint8Array): [key: string, value: Uint8Array][] {
  const records: [string, Uint8Array][] = [];
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 || space - at > 9 ? NaN : digitsIn(data, at, space);
    const end = at + length - 1;
    const equals = data.indexOf(0x3d, space + 1);
    const isRecord = end < data.length && data[end] === 0x0a && equals > space + 1 && equals < end;
    if (!isRecord) throw new Fault("Cannot read the archive: a PAX record is malformed");
    records.push([decodePath(data.subarray(space + 1, equals)), data.slice(equals + 1, end)]);
    at = end + 1;
  }
  return records;
}

function digitsIn(data: Uint8Array, from: number, to: number): number {
  let value = to > from ? 0 : NaN;
  for (let at = from; at < to; at++) {
    const digit = data[at]! - 0x30;
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : NaN;
  }
  return value;
}

/** Says whether it is a header as GNU tar wrote them before PAX. */
export function isGnu(block: Uint8Array): boolean {
  return ascii(block.subarray(MAGIC, MAGIC + 8)) === "ustar  \0";
}

function isUstar(block: Uint8Array): boolean {
  return ascii(block.subarray(MAGIC, MAGIC + 6)) === "ustar\0";
}

function prefixOf(block: Uint8Array): string {
  if (block[PREFIX[0]] === 0 || !isUstar(block)) return "";
  const isStar = ascii(block.subarray(STAR_MARK, STAR_MARK + 4)) === "tar\0";
  return textAt(block, isStar ? STAR_PREFIX : PREFIX);
}

function textAt(block: Uint8Array, [offset, length]: Field): string {
  if (block[offset] === 0) return "";
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return decodePath(end < 0 ? field : field.subarray(0, end));
}

/**
 * A number as headers write it: octal text or, where the first bit is set, a big-endian number in
 * two's complement. Large ones lose their last digits.
 *
 * @throws {Fault} where it is no number.
 */
export function numberAt(block: Uint8Array, [offset, length]: Field): number {
  const end = offset + length;
  if ((block[offset]! & 0x80) !== 0) {
    const inverse = (block[offset]! & 0x40) === 0 ? 0 : 0xff;
    let value = (block[offset]! ^ inverse) & 0x7f;
    for (let at = offset + 1; at < end; at++) value = value * 256 + (block[at]! ^ inverse);
    return inverse === 0 ? value : -value - 1;
  }
  let at = offset;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  let value = 0;
  for (; at < end && block[at] !== 0 && block[at] !== 0x20; at++) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) {
      throw new Fault(
        `Cannot read the archive: "${
          decodePath(block.subarray(offset, end)).replaceAll("\0", "")
        }" is no number`,
      );
    }
    value = value * 8 + digit;
  }
  return value;
}

/** Octal with a NUL where it fits, else a big-endian number. */
function putNumber(block: Uint8Array, [offset, length]: Field, value: number): void {
  if (value < 8 ** (length - 1)) {
    const digits = value.toString(8).padStart(length - 1, "0");
    block.set(new TextEncoder().encode(`${digits}\0`), offset);
    return;
  }
  let rest = value;
  for (let at = offset + length - 1; at > offset; at--) {
    block[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  block[offset] = 0x80;
}

function clear(block: Uint8Array, [offset, length]: Field): void {
  block.fill(0, offset, offset + length);
}

/** Old tools added bytes up as signed ones. */
function hasChecksum(block: Uint8Array): boolean {
  const [offset, length] = CHECKSUM;
  const written = numberAt(block, CHECKSUM);
  let sum = 0x20 * length;
  let large = 0;
  for (let at = 0; at < BLOCK; at++) {
    if (at >= offset && at < offset + length) continue;
    sum += block[at]!;
    if (block[at]! >= 0x80) large++;
  }
  return written === sum || written === sum - 256 * large;
}

/** The checksum counts its own field as spaces. */
function seal(block: Uint8Array): void {
  const [offset, length] = CHECKSUM;
  block.fill(0x20, offset, offset + length);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), offset);
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
