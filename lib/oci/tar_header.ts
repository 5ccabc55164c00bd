/**
 * Header blocks of a tar entry: USTAR where everything fits, else PAX in front of it, byte for byte
 * as Go's `archive/tar` writes them.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */

import type { TarEntry } from "./tar.ts";

/** Size of a tar block, in bytes. */
export const BLOCK = 512;

const encoder = new TextEncoder();

const TYPE_FLAGS: Record<TarEntry["type"], string> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  directory: "5",
};

/** Offsets and lengths of the header's fields, in bytes. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  typeFlag: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  userName: [265, 32],
  groupName: [297, 32],
  deviceMajor: [329, 8],
  deviceMinor: [337, 8],
  prefix: [345, 155],
} as const;

type Field = readonly [offset: number, length: number];

/** The header blocks of an entry whose content has this many bytes. */
export function tarHeader(entry: TarEntry, size: number): Uint8Array {
  const name = bytesOf(entry.path);
  const link = bytesOf(entry.linkTarget ?? "");
  const user = bytesOf(entry.uname ?? "");
  const group = bytesOf(entry.gname ?? "");
  const split = splitName(name);
  const nameFits = isAscii(name) && (name.length <= FIELD.name[1] || split !== undefined);
  const records = new Map<string, Uint8Array>();
  if (!fits(link, FIELD.linkName)) records.set("linkpath", link);
  if (!fits(user, FIELD.userName)) records.set("uname", user);
  if (!fits(group, FIELD.groupName)) records.set("gname", group);
  if (!fitsOctal(entry.uid, FIELD.uid)) records.set("uid", decimal(entry.uid));
  if (!fitsOctal(entry.gid, FIELD.gid)) records.set("gid", decimal(entry.gid));
  if (!fitsOctal(size, FIELD.size)) records.set("size", decimal(size));
  if (!fitsOctal(entry.mtime, FIELD.mtime)) records.set("mtime", decimal(entry.mtime));
  const usePax = records.size > 0 || !nameFits;
  // Once there are PAX records, a long name is one of them even if it could be split.
  if (usePax && !fits(name, FIELD.name)) records.set("path", name);
  const pax = usePax ? paxBlocks(name, records) : NOTHING;
  const header = new Uint8Array(pax.length + BLOCK);
  header.set(pax);
  const block = header.subarray(pax.length);
  const prefix = usePax ? undefined : split;
  putText(block, FIELD.name, prefix === undefined ? name : name.subarray(prefix + 1));
  putOctal(block, FIELD.mode, entry.mode);
  putOctal(block, FIELD.uid, entry.uid);
  putOctal(block, FIELD.gid, entry.gid);
  putOctal(block, FIELD.size, size);
  putOctal(block, FIELD.mtime, entry.mtime);
  block[FIELD.typeFlag[0]] = TYPE_FLAGS[entry.type].charCodeAt(0);
  putText(block, FIELD.linkName, link);
  putText(block, FIELD.userName, user);
  putText(block, FIELD.groupName, group);
  putOctal(block, FIELD.deviceMajor, 0);
  putOctal(block, FIELD.deviceMinor, 0);
  if (prefix !== undefined) putText(block, FIELD.prefix, name.subarray(0, prefix));
  seal(block);
  return header;
}

/** Where a name over 100 bytes can be cut in two at a slash; undefined where it need not or cannot. */
function splitName(name: Uint8Array): number | undefined {
  if (name.length <= FIELD.name[1] || !isAscii(name)) return undefined;
  const limit = FIELD.prefix[1] + 1;
  let end = name.length;
  if (end > limit) end = limit;
  else if (name[end - 1] === SLASH) end -= 1;
  const at = name.subarray(0, end).lastIndexOf(SLASH);
  const rest = name.length - at - 1;
  return at > 0 && at <= FIELD.prefix[1] && rest > 0 && rest <= FIELD.name[1] ? at : undefined;
}

/** A PAX header and its records, padded to whole blocks. */
function paxBlocks(name: Uint8Array, records: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const sorted = [...records].sort(([a], [b]) => (a < b ? -1 : 1));
  const data = concat(sorted.map(([key, value]) => paxRecord(key, value)));
  const blocks = new Uint8Array(BLOCK + padded(data.length));
  const block = blocks.subarray(0, BLOCK);
  putBytes(block, FIELD.name, paxName(name));
  for (const field of [FIELD.mode, FIELD.uid, FIELD.gid, FIELD.mtime]) putOctal(block, field, 0);
  putOctal(block, FIELD.size, data.length);
  block[FIELD.typeFlag[0]] = "x".charCodeAt(0);
  seal(block);
  blocks.set(data, BLOCK);
  return blocks;
}

/** One PAX record, `length key=value` and a newline, where the length counts itself. */
export function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return concat([encoder.encode(`${length} ${key}=`), value, encoder.encode("\n")]);
}

/** `dir/PaxHeaders.0/base`, cleaned as Go's `path.Join` does; only then it loses what is not ASCII. */
function paxName(name: Uint8Array): Uint8Array {
  const at = name.lastIndexOf(SLASH) + 1;
  const joined = concat([name.subarray(0, at), encoder.encode("PaxHeaders.0/"), name.subarray(at)]);
  const ascii = cleanPath(joined).filter((byte) => byte < 0x80).subarray(0, FIELD.name[1]);
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

/** Writes the magic and, last, the checksum over all other fields. */
function seal(block: Uint8Array): void {
  block.set(MAGIC, FIELD.magic[0]);
  block.fill(0x20, FIELD.checksum[0], FIELD.checksum[0] + FIELD.checksum[1]);
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += block[at]!;
  // Its last byte stays a space.
  const [offset, length] = FIELD.checksum;
  block[offset + length - 2] = 0;
  putOctal(block, [offset, length - 1], sum);
}

/** Strings lose what is not ASCII and are cut; a cut may not leave a slash at the end. */
function putText(block: Uint8Array, field: Field, text: Uint8Array): void {
  if (text.length === 0) return;
  const ascii = isAscii(text) ? text : text.filter((byte) => byte < 0x80);
  const [, length] = field;
  if (ascii.length <= length) return putBytes(block, field, ascii);
  let end = length;
  while (end > 0 && ascii[end - 1] === SLASH) end -= 1;
  const cut = new Uint8Array(ascii.subarray(0, length));
  if (end < length) cut[end] = 0;
  putBytes(block, field, cut);
}

function putBytes(block: Uint8Array, [offset, length]: Field, bytes: Uint8Array): void {
  block.set(bytes.subarray(0, length), offset);
}

/** Numbers are zero-padded octal with a NUL; those that do not fit are 0, and in a PAX record. */
function putOctal(block: Uint8Array, field: Field, value: number): void {
  const [offset, length] = field;
  let rest = fitsOctal(value, field) ? value : 0;
  for (let at = offset + length - 2; at >= offset; at--) {
    block[at] = 0x30 + rest % 8;
    rest = Math.floor(rest / 8);
  }
}

function fitsOctal(value: number, [, length]: Field): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

function fits(text: Uint8Array, [, length]: Field): boolean {
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
  return typeof text === "string" ? encoder.encode(text) : text;
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
const NOTHING = new Uint8Array(0);
const MAGIC = encoder.encode("ustar\x0000");
