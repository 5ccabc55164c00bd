/** Reading tar, as it comes from anywhere: every format there is. */

import { Fault } from "../model/errors.ts";
import type { ExtendedAttribute, SpecialType } from "../model/image.ts";
import { BlockReader, cutOff } from "./block_reader.ts";
import { decodePath } from "./path_text.ts";
import { damaged, type ExtendedHeader, type Extension, HeaderReader } from "./tar_extension.ts";
import { deviceOf } from "./tar_fields.ts";
import { padded } from "./tar_header.ts";
import { filled, type SparseFile, sparseFile } from "./tar_sparse.ts";
import { attributesOfRecords } from "./xattrs.ts";

/** An entry of an archive that is being read. Names are text as `path_text.ts` has it. */
export interface TarMember {
  /** As it is written in the archive. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | SpecialType;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size of the content, in bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly linkTarget?: string;
  /** Numbers of a device. */
  readonly device?: readonly [major: number, minor: number];
  /** Extended attributes, sorted by name. */
  readonly xattrs?: readonly ExtendedAttribute[];
  /** Access control lists, which have no place in a layer. @default false */
  readonly hasAcl?: boolean;
  /** The content, once; it is passed over if the next member is asked for first. */
  content(): AsyncIterable<Uint8Array>;
}

/** What type flags stand for. GNU's dump of a folder has its names as content. */
const TYPES: Readonly<Record<string, TarMember["type"]>> = {
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  "D": "directory",
  "S": "file",
};

/** Flags of entries without content, whatever size their headers give. */
const WITHOUT_CONTENT = /^[1-6]$/;

/** The label of an archive: no file. */
const VOLUME_LABEL = "V";

/** What is known of other flags, for faults. */
const FOREIGN: Readonly<Record<string, string>> = {
  M: "goes on from another volume: join the archive's volumes first",
  N: "holds long names in a form that no tool writes any more",
};

/** The longest path that Linux knows, in bytes. */
const PATH_LIMIT = 4096;

/** The highest number of a user or group; the one above it stands for none. */
const LAST_ID = 2 ** 32 - 2;

/**
 * Reads an archive, member by member.
 *
 * @throws {Fault} when it is damaged or cut off, or has a member that is nothing a layer can hold.
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const input = new BlockReader(stream);
  const headers = new HeaderReader(input);
  try {
    for (;;) {
      const header = await headers.next();
      if (header === undefined) break;
      const body = await Body.of(header, input);
      const member = memberOf(header, body);
      if (member !== undefined) yield member;
      await body.finish();
    }
    await input.drain();
  } catch (cause) {
    throw asDamage(cause);
  } finally {
    await input.cancel();
  }
}

/** The content of one member. */
class Body {
  readonly size: number;
  readonly #input: BlockReader;
  readonly #sparse: SparseFile | undefined;
  /** Bytes to the end of the content, and of its padding. */
  #left: number;
  readonly #padding: number;

  private constructor(input: BlockReader, stored: number, sparse: SparseFile | undefined) {
    this.#input = input;
    this.#sparse = sparse;
    this.size = sparse?.size ?? stored;
    this.#left = sparse?.stored ?? stored;
    this.#padding = padded(this.#left) - this.#left;
  }

  static async of({ header, extension }: ExtendedHeader, input: BlockReader): Promise<Body> {
    if (WITHOUT_CONTENT.test(header.type)) return new Body(input, 0, undefined);
    const stored = numberIn(extension, "size") ?? header.size;
    if (!Number.isSafeInteger(stored) || stored < 0) {
      throw damaged(`${pathOf({ header, extension })} has ${stored} bytes`);
    }
    return new Body(input, stored, await sparseFile(header, extension, stored, input));
  }

  /** The content, holes filled in. */
  async *content(): AsyncGenerator<Uint8Array> {
    try {
      if (this.#sparse !== undefined) return yield* filled(this.#sparse, this);
      while (this.#left > 0) yield await this.some(this.#left);
    } catch (cause) {
      throw asDamage(cause);
    }
  }

  /** At least one and at most so many of the stored bytes. */
  async some(most: number): Promise<Uint8Array> {
    const chunk = await this.#input.some(most);
    if (chunk === undefined) throw cutOff();
    this.#left -= chunk.length;
    return chunk;
  }

  /** Passes over what is left. The last file's padding may be missing, as umoci leaves it out. */
  async finish(): Promise<void> {
    if (await this.#input.skip(this.#left) > 0) throw cutOff();
    this.#left = 0;
    await this.#input.skip(this.#padding);
  }
}

function memberOf(extended: ExtendedHeader, body: Body): TarMember | undefined {
  const { header, extension } = extended;
  if (header.type === VOLUME_LABEL) return undefined;
  const path = pathOf(extended);
  const type = TYPES[header.type];
  if (type === undefined) {
    throw damaged(
      `${path} ${FOREIGN[header.type] ?? `is of the unknown type "${header.type}"`}`,
    );
  }
  const isLink = type === "symlink" || type === "hardlink";
  const xattrs = attributesOf(path, extension);
  return {
    path,
    type,
    mode: header.mode,
    uid: idOf(path, "user", numberIn(extension, "uid") ?? header.uid),
    gid: idOf(path, "group", numberIn(extension, "gid") ?? header.gid),
    size: type === "directory" ? 0 : body.size,
    mtime: secondsIn(extension) ?? header.mtime,
    ...(isLink ? { linkTarget: linkOf(extended) } : {}),
    ...(type === "character" || type === "block" ? { device: deviceOf(header) } : {}),
    ...(xattrs === undefined ? {} : { xattrs }),
    ...(hasAcl(extension) ? { hasAcl: true } : {}),
    content: () => body.content(),
  };
}

/** As Go reads it: a long name outdoes a record. */
function pathOf({ header, extension }: ExtendedHeader): string {
  const { longName } = extension;
  const sparse = textIn(extension, "GNU.sparse.name");
  return checkedName(longName ?? sparse ?? textIn(extension, "path") ?? header.path);
}

function linkOf({ header, extension }: ExtendedHeader): string {
  return checkedName(extension.longLink ?? textIn(extension, "linkpath") ?? header.linkTarget);
}

function checkedName(name: string): string {
  if (name.length > PATH_LIMIT) {
    throw damaged(`${name.slice(0, 100)}… is a name of more than ${PATH_LIMIT} bytes`);
  }
  if (!name.includes("\0")) return name;
  throw damaged(`the name ${JSON.stringify(name)} has a NUL in it`);
}

function attributesOf(
  path: string,
  { records }: Extension,
): readonly ExtendedAttribute[] | undefined {
  try {
    return attributesOfRecords(records);
  } catch (cause) {
    throw damaged(`${path} has an attribute that is no Base64: ${(cause as Error).message}`);
  }
}

function hasAcl({ records }: Extension): boolean {
  for (const [key, value] of records) {
    if (key.startsWith("SCHILY.acl.") && value.length > 0) return true;
  }
  return false;
}

/** Old tools wrote numbers such as that of nobody, -2, as signed ones. */
function idOf(path: string, kind: string, id: number): number {
  const unsigned = id < -1 && id >= -(2 ** 31) ? id + 2 ** 32 : id;
  if (unsigned >= 0 && unsigned <= LAST_ID) return unsigned;
  throw damaged(`${path} belongs to the ${kind} ${id}, which there cannot be`);
}

/** Whole seconds of the time of the last change; fractions are rounded down. */
function secondsIn(extension: Extension): number | undefined {
  const text = textIn(extension, "mtime");
  if (text === undefined) return undefined;
  if (!/^-?[0-9]+(?:\.[0-9]*)?$/.test(text)) throw damaged(`its mtime is "${text}"`);
  return Math.floor(Number(text));
}

function numberIn(extension: Extension, key: string): number | undefined {
  const text = textIn(extension, key);
  if (text === undefined) return undefined;
  if (!/^-?[0-9]+$/.test(text)) throw damaged(`its ${key} is "${text}"`);
  return Number(text);
}

/** An empty record stands for none. */
function textIn({ records }: Extension, key: string): string | undefined {
  const value = records.get(key);
  return value === undefined || value.length === 0 ? undefined : decodePath(value);
}

function asDamage(cause: unknown): unknown {
  if (cause instanceof Fault || (cause as Error)?.name === "AbortError") return cause;
  return new Fault(`Cannot read the archive: ${(cause as Error).message}`, { cause });
}
