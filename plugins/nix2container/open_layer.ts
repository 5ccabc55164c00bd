/** A layer's bytes, made again from the store and checked while they stream; and its files. */

import type { Layer, LayerMember } from "../../lib/model/image.ts";
import { absolutePath } from "../../lib/oci/image_path.ts";
import { Sha256 } from "../../lib/oci/sha256.ts";
import { writeTar } from "../../lib/oci/tar.ts";
import type { LayerData } from "./layer_data.ts";
import { layerEntries } from "./layer_entries.ts";
import { tarEntries } from "./layer_tar.ts";
import { mismatchFault } from "./mismatch.ts";
import { diskPath } from "./walk.ts";

/** Size of the pieces a layer's file is read in, in bytes. */
const CHUNK = 1024 * 1024;

/**
 * Opens a layer. The stream fails before its end if it is not what the layer's descriptor says; the
 * error names the paths to blame.
 */
export function openLayer(
  layer: Layer,
  data: LayerData,
  signal?: AbortSignal,
): ReadableStream<Uint8Array> {
  const content = data.layerPath === undefined
    ? writeTar(tarEntries(data.paths, data))
    : fileChunks(diskPath(data.layerPath, data));
  return ReadableStream.from(checked(content, layer, data, signal));
}

/** A layer's files without their content; undefined where only its bytes tell. */
export function listLayer(data: LayerData): readonly LayerMember[] | undefined {
  if (data.layerPath !== undefined) return undefined;
  return Array.from(layerEntries(data.paths, data), (entry) => {
    const { path, type, mode, uid, gid, found } = entry;
    const target = found?.target === undefined ? {} : { linkTarget: found.target };
    return { path: absolutePath(path), type, mode, uid, gid, size: found?.size ?? 0, ...target };
  });
}

async function* checked(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  layer: Layer,
  data: LayerData,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const hash = new Sha256();
  let size = 0;
  for await (const chunk of content) {
    signal?.throwIfAborted();
    hash.update(chunk);
    size += chunk.length;
    // What is too long is read to its end, so that the error can tell what it is.
    if (size <= layer.descriptor.size) yield chunk;
  }
  const found = { digest: hash.digest(), size };
  const { descriptor } = layer;
  if (found.digest !== descriptor.digest || size !== descriptor.size) {
    throw await mismatchFault(layer, data, found);
  }
}

function* fileChunks(path: string): Generator<Uint8Array> {
  using file = Deno.openSync(path);
  for (;;) {
    const buffer = new Uint8Array(CHUNK);
    const count = file.readSync(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}
