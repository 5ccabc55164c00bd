/**
 * The fields of a tar header that another tool wrote, read and written again in place.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 * @see https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */

import { Fault } from "../model/errors.ts";
import { BLOCK, padded, paxRecord } from "./tar_header.ts";

/** A header block and what it says. */
export interface Header {
  readonly block: Uint8Array;
  readonly path: string;
  /** The type flag; an old archive's NUL is a file. */
  readonly type: string;
  readonly mode: number;
  /** Bytes of content. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** Type flag of records for the next entry. */
export const PAX_TYPE = "x";

const NAME = [0, 100] as const;
const MODE = [100, 8] as const;
const SIZE = [124, 12] as const;
const MTIME = [136, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const MAGIC = 257;
const OWNER_NAMES = [265, 64] as const;
const PREFIX = [345, 155] as const;
/** Times of access and change, where GNU tar keeps them instead of a prefix. */
const GNU_TIMES = [345, 24] as const;

/**
 * Records that depend on the clock or the machine: times (the whole seconds are in the header),
 * names of owners, and labels that a security module put on files.
 */
const DROPPED =
  /^(?:[acm]time|LIBARCHIVE\.creationtime|[ug]name|SCHILY\.xattr\.(?:security\.(?:selinux|ima|evm)|trusted\.overlay\..*))$/;

type Field = readonly [offset: number, length: number];

/** Says whether a block is one of those that end an archive. */
export function isEnd(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Reads a header block. @throws {Fault} where its numbers are none. */
export function readHeader(block: Uint8Array): Header {
  const prefix = isGnu(block) ? "" : textAt(block, PREFIX);
  const name = textAt(block, NAME);
  return {
    block,
    path: prefix === "" ? name : `${prefix}/${name}`,
    type: block[TYPE] === 0 ? "0" : String.fromCharCode(block[TYPE]!),
    mode: numberAt(block, MODE) & 0o7777,
    size: numberAt(block, SIZE),
    mtime: numberAt(block, MTIME),
  };
}

/** The header again with this time, and without names of owners. */
export function rewriteHeader(header: Header, mtime: number): Uint8Array {
  const block = header.block.slice();
  clear(block, OWNER_NAMES);
  if (isGnu(block)) clear(block, GNU_TIMES);
  putNumber(block, MTIME, mtime);
  seal(block);
  return block;
}

/** A PAX header again with what is left of its records; nothing where nothing is left. */
export function rewritePax(
  header: Header,
  records: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const kept = [...records].filter(([key]) => !DROPPED.test(key));
  if (kept.length === 0) return new Uint8Array(0);
  const parts = kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) =>
    paxRecord(key, value)
  );
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const blocks = new Uint8Array(BLOCK + padded(size));
  const block = header.block.slice();
  putNumber(block, SIZE, size);
  blocks.set(rewriteHeader({ ...header, block }, 0));
  let at = BLOCK;
  for (const part of parts) {
    blocks.set(part, at);
    at += part.length;
  }
  return blocks;
}

/** Reads `length key=value\n` records. @throws {Fault} where they are malformed. */
export function readPaxRecords(data: Uint8Array): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? NaN : Number(ascii(data.subarray(at, space)));
    const record = data.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (!(length > 0) || at + length > data.length || equals < 0) {
      throw new Fault("Cannot read the archive: a PAX record is malformed");
    }
    records.set(ascii(record.subarray(0, equals)), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function isGnu(block: Uint8Array): boolean {
  return ascii(block.subarray(MAGIC, MAGIC + 8)) === "ustar  \0";
}

function textAt(block: Uint8Array, [offset, length]: Field): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Octal text; or, where the first bit is set, a big-endian number. */
function numberAt(block: Uint8Array, [offset, length]: Field): number {
  const field = block.subarray(offset, offset + length);
  if ((field[0]! & 0x80) !== 0) {
    const negative = (field[0]! & 0x40) !== 0;
    if (negative) return -1;
    return field.reduce((value, byte, at) => value * 256 + (at === 0 ? byte & 0x7f : byte), 0);
  }
  const digits = ascii(field).replace(/\0[^]*$/, "").trim();
  if (!/^[0-7]*$/.test(digits)) {
    throw new Fault(`Cannot read the archive: "${digits}" is no number`);
  }
  return digits === "" ? 0 : Number.parseInt(digits, 8);
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
