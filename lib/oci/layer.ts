/** The one way our own layers are written. */

import type { ChunkOptions } from "./chunks.ts";
import { type TarEntry, writeTar } from "./tar.ts";

/** A file of a layer, at its place in the image. */
export interface LayerFile {
  /** Absolute path in the image. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Length of a file's content, in bytes. */
  readonly size?: number;
  readonly content?: NonNullable<TarEntry["content"]>;
  readonly linkTarget?: string;
}

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
  for (const name of [...byName.keys()].sort(byBytes)) {
    const file = byName.get(name)!;
    yield { ...file, path: file.type === "directory" ? `${name}/` : name, mtime };
  }
}

function nameOf(path: string): string {
  if (CLEAN.test(path)) return path.slice(1);
  return path.split("/").filter((part) => part !== "" && part !== ".").join("/");
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
