/** A layer's bytes, made again from the store. */

import type { TarEntry } from "../../lib/oci/tar.ts";
import { bytesOf, isRaw } from "./byte_paths.ts";
import type { JsonPath } from "./image_json.ts";
import { layerEntries, type LayerEntry } from "./layer_entries.ts";
import { openRaw } from "./raw_files.ts";
import type { Found, Whereabouts } from "./walk.ts";

/** The time every entry has: one second after 1970 began. */
const MTIME = 1;

/** The entries of a layer for the tar writer; contents are opened when their turn comes. */
export function* tarEntries(paths: readonly JsonPath[], at: Whereabouts): Generator<TarEntry> {
  for (const entry of layerEntries(paths, at)) yield tarEntry(entry);
}

function tarEntry(entry: LayerEntry): TarEntry {
  const { found, path, ...header } = entry;
  return {
    ...header,
    path: isRaw(path) ? bytesOf(path) : path,
    mtime: MTIME,
    ...(found?.target === undefined ? {} : { linkTarget: bytesOf(found.target) }),
    ...(found?.type === "file" ? { size: found.size, content: contentOf(found) } : {}),
  };
}

function contentOf({ disk }: Found): NonNullable<TarEntry["content"]> {
  return isRaw(disk) ? () => openRaw(disk).readable : { file: disk };
}
