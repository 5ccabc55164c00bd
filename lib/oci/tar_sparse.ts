/**
 * Files with holes, in the four forms that GNU tar has written them in: a map in the header (type
 * `S`), in PAX records (0.0 and 0.1), or in front of the data (1.0).
 *
 * @see https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html
 */

import { type BlockReader, cutOff } from "./block_reader.ts";
import { damaged, type Extension, EXTENSION_LIMIT } from "./tar_extension.ts";
import { type Header, isGnu, numberAt } from "./tar_fields.ts";
import { BLOCK } from "./tar_header.ts";

/** A part of a file that is not a hole. */
interface Fragment {
  readonly offset: number;
  readonly length: number;
}

/** A file with holes. */
export interface SparseFile {
  /** Bytes with the holes filled in. */
  readonly size: number;
  /** Bytes that are stored, and follow. */
  readonly stored: number;
  readonly fragments: readonly Fragment[];
}

const IN_HEADER = { at: 386, entries: 4, more: 482, size: [483, 12] } as const;
const IN_BLOCK = { at: 0, entries: 21, more: 504 } as const;
const NUMBER = 12;

/** How many entries of a map are held in memory. */
const FRAGMENT_LIMIT = EXTENSION_LIMIT / (2 * NUMBER);

const ZEROS = new Uint8Array(64 * 1024);

/**
 * The map of a file with holes, read from wherever it is; undefined for other files.
 *
 * @param stored bytes of content that the header announces.
 * @throws {Fault} where the map is none.
 */
export async function sparseFile(
  header: Header,
  { records, sparse }: Extension,
  stored: number,
  input: BlockReader,
): Promise<SparseFile | undefined> {
  if (header.type === "S") return await fromHeader(header, stored, input);
  const record = (key: string) => new TextDecoder().decode(records.get(`GNU.sparse.${key}`));
  const major = record("major");
  const minor = record("minor");
  const version = major === "" && minor === "" ? undefined : `${major}.${minor}`;
  const size = () => decimal(record("realsize") || record("size"));
  if (version === "1.0") return await fromContent(size(), stored, input);
  if (version !== undefined && version !== "0.0" && version !== "0.1") {
    throw damaged(`its sparse files are in the unknown format ${version}`);
  }
  const map = record("map");
  const numbers = map === "" ? sparse : map.split(",");
  if (numbers.length === 0) {
    // A file that is nothing but a hole has an empty map.
    return records.has("GNU.sparse.size") ? checked([], size(), stored) : undefined;
  }
  return checked(paired(numbers.map(decimal)), size(), stored);
}

/** The content with its holes filled in. */
export async function* filled(
  { size, fragments }: SparseFile,
  stored: { some(most: number): Promise<Uint8Array> },
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const { offset, length } of fragments) {
    yield* zeros(offset - at);
    for (let left = length; left > 0;) {
      const chunk = await stored.some(left);
      left -= chunk.length;
      yield chunk;
    }
    at = offset + length;
  }
  yield* zeros(size - at);
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= ZEROS.length) {
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
  }
}

async function fromHeader(
  header: Header,
  stored: number,
  input: BlockReader,
): Promise<SparseFile> {
  if (!isGnu(header.block)) throw damaged("its sparse files are in an unknown format");
  const fragments: Fragment[] = [];
  let block = header.block;
  let place: typeof IN_HEADER | typeof IN_BLOCK = IN_HEADER;
  for (;;) {
    for (let entry = 0; entry < place.entries; entry++) {
      const at = place.at + entry * 2 * NUMBER;
      if (block[at] === 0) break;
      fragments.push({
        offset: numberAt(block, [at, NUMBER]),
        length: numberAt(block, [at + NUMBER, NUMBER]),
      });
    }
    if (block[place.more] === 0) break;
    if (fragments.length > FRAGMENT_LIMIT) throw tooMany();
    const next = await input.take(BLOCK);
    if (next === undefined) throw cutOff();
    block = next.slice();
    place = IN_BLOCK;
  }
  return checked(fragments, numberAt(header.block, IN_HEADER.size), stored);
}

/** Decimal numbers, a line each: how many fragments, then their offsets and lengths. */
async function fromContent(
  size: number,
  stored: number,
  input: BlockReader,
): Promise<SparseFile> {
  const numbers: number[] = [];
  let wanted = 1;
  let read = 0;
  let line = "";
  while (numbers.length < wanted) {
    if (read >= EXTENSION_LIMIT) throw tooMany();
    const block = read + BLOCK > stored ? undefined : await input.take(BLOCK);
    if (block === undefined) throw damaged("the map of a sparse file is cut off");
    read += BLOCK;
    for (let at = 0; at < BLOCK && numbers.length < wanted; at++) {
      if (block[at] !== 0x0a) {
        line += String.fromCharCode(block[at]!);
        continue;
      }
      numbers.push(decimal(line));
      line = "";
      if (numbers.length === 1) wanted = 1 + 2 * numbers[0]!;
    }
  }
  return checked(paired(numbers.slice(1)), size, stored - read);
}

function paired(numbers: readonly number[]): Fragment[] {
  if (numbers.length % 2 !== 0) throw damaged("the map of a sparse file is malformed");
  const fragments: Fragment[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    fragments.push({ offset: numbers[at]!, length: numbers[at + 1]! });
  }
  return fragments;
}

/** Fragments in their order, inside the file, and as many bytes as are stored. */
function checked(
  fragments: readonly Fragment[],
  size: number,
  stored: number,
): SparseFile {
  let end = 0;
  let bytes = 0;
  for (const { offset, length } of fragments) {
    const isInPlace = offset >= end && length >= 0 && offset + length <= size;
    if (!isInPlace) throw damaged("the map of a sparse file is malformed");
    end = offset + length;
    bytes += length;
  }
  if (!Number.isSafeInteger(size) || size < 0 || bytes !== stored) {
    throw damaged("the map of a sparse file does not fit its content");
  }
  return { size, stored, fragments };
}

function decimal(text: string): number {
  if (text.length > 0 && text.length < 17 && /^[0-9]+$/.test(text)) return Number(text);
  throw damaged(`a sparse file has "${text}" where a number should be`);
}

function tooMany() {
  return damaged("the map of a sparse file has no end");
}
