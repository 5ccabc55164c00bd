/** The one way our own layers are written. */

import { Fault } from "../model/errors.ts";
import type { ExtendedAttribute, SpecialType } from "../model/image.ts";
import type { ChunkOptions } from "./chunks.ts";
import { encodePath } from "./path_text.ts";
import { type TarEntry, writeTar } from "./tar.ts";

/** A file of a layer, at its place in the image. */
export interface LayerFile {
  /** Absolute path in the image. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | SpecialType;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Length of a file's content, in bytes. */
  readonly size?: number;
  readonly content?: NonNullable<TarEntry["content"]>;
  readonly linkTarget?: string;
  /** Numbers of a device. */
  readonly device?: readonly [major: number, minor: number];
  /** Extended attributes. */
  readonly xattrs?: readonly ExtendedAttribute[];
  /** Files of one inode are one file under several names: all but the first are hard links. */
  readonly inode?: object;
}

/** What names begin with that a layer removes something by. */
const WHITEOUT = ".wh.";

/**
 * Writes a layer's tar: names relative to the root, folders with a slash at the end, sorted by the
 * bytes of their names with folders before what is in them. Of two files at one place the last wins.
 *
 * @param options.mtime time of every entry, in seconds since 1970.
 */
export async function* writeLayer(
  files: Iterable<LayerFile>,
  options: ChunkOptions & { readonly mtime: number },
): AsyncGenerator<Uint8Array> {
  const byName = new Map<string, LayerFile>();
  for (const file of files) {
    const name = nameOf(file.path);
    if (name !== "") byName.set(name, file);
  }
  yield* writeTar(entriesOf(byName, options.mtime), options);
}

function* entriesOf(byName: ReadonlyMap<string, LayerFile>, mtime: number): Generator<TarEntry> {
  const first = new Map<object, string>();
  for (const name of sorted([...byName.keys()])) {
    const { inode, ...file } = byName.get(name)!;
    const linkTarget = inode === undefined ? undefined : first.get(inode);
    if (linkTarget !== undefined) {
      const { content: _content, size: _size, ...link } = file;
      yield { ...link, type: "hardlink", path: name, linkTarget, mtime };
      continue;
    }
    if (inode !== undefined) first.set(inode, name);
    yield { ...file, path: file.type === "directory" ? `${name}/` : name, mtime };
  }
}

function nameOf(path: string): string {
  if (CLEAN.test(path)) return path.slice(1);
  return path.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

/**
 * Files as they are, for layers that remove nothing.
 *
 * @throws {Fault} for a file whose name would remove another one.
 */
export function* refuseWhiteouts(files: Iterable<LayerFile>): Generator<LayerFile> {
  for (const file of files) {
    if (file.path.startsWith(WHITEOUT, file.path.lastIndexOf("/") + 1)) {
      throw new Fault(`${file.path} cannot be in a layer: its name would remove another file`, {
        next: `rename it, or leave it out: names that begin with "${WHITEOUT}" are marks of layers`,
      });
    }
    yield file;
  }
}

/** Names that are no UTF-8 are compared as the bytes they are. */
function sorted(names: string[]): string[] {
  if (names.every((name) => name.isWellFormed())) return names.sort(byBytes);
  const raw = (name: string) =>
    Array.from(encodePath(name), (byte) => String.fromCharCode(byte)).join("");
  return names.map((name) => [raw(name), name] as const)
    .sort(([a], [b]) => byBytes(a, b)).map(([, name]) => name);
}

/**
 * Orders names by their UTF-8 bytes, component by component: what is in a folder follows it at once.
 * UTF-16 differs from UTF-8 in where surrogates stand, so code points are compared.
 */
export function byBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x === y) continue;
    return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** The slash comes before all, surrogates after all others. */
function rank(unit: number): number {
  if (unit === SLASH) return -1;
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

const SLASH = 0x2f;

/** A path without empty parts and `.`, as most are. */
const CLEAN = /^(?:\/(?!\.?(?:\/|$))[^/]*)+$/;
