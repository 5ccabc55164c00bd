/** Taking files out of an image's layers. */

import { Fault } from "../../../lib/model/errors.ts";
import type { LocalImage, OpenableLayer } from "../../../lib/model/image.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { imageFilesystem } from "../../../lib/oci/cached_listing.ts";
import { decompress } from "../../../lib/oci/decompress.ts";
import { readTar } from "../../../lib/oci/tar_read.ts";
import { writeContent } from "../../../lib/util/write_all.ts";
import { cleanAbsolute } from "./rootfs.ts";

/** Of one layer: each file that is wanted, by its path there and the nth time it comes, and where to. */
type Wanted = Map<string, string>;

/**
 * Unpacks files of an image into the build's scratch folder, reading each layer at most once.
 *
 * @param paths real paths in the image, as its listing has them.
 * @returns the absolute path on this machine of each; hard links share one.
 */
export async function extractFiles(
  image: LocalImage,
  paths: ReadonlySet<string>,
  context: BuildContext,
): Promise<Map<string, string>> {
  const filesystem = await imageFilesystem(image, context.cacheDir, context.signal);
  const folder = await Deno.makeTempDir({ dir: await context.scratch(), prefix: "files-" });
  const files = new Map<string, string>();
  const layers = new Map<number, Wanted>();
  let count = 0;
  for (const path of paths) {
    const stored = filesystem.stored(path);
    if (stored === undefined) throw lacking(image, path);
    const wanted: Wanted = layers.get(stored.layer) ?? new Map();
    layers.set(stored.layer, wanted);
    const key = keyOf(stored.path, stored.nth);
    const file = wanted.get(key) ?? `${folder}/${count++}`;
    wanted.set(key, file);
    files.set(path, file);
  }
  const written = new Set<string>();
  for (const [layer, wanted] of layers) {
    for await (const file of extractLayer(image.layers[layer]!, wanted, context)) written.add(file);
  }
  for (const [path, file] of files) if (!written.has(file)) throw lacking(image, path);
  return files;
}

/** Gives the files that were written. */
async function* extractLayer(
  layer: OpenableLayer,
  wanted: Wanted,
  context: BuildContext,
): AsyncIterable<string> {
  const times = new Map<string, number>();
  const stream = await layer.open(context.signal);
  for await (const member of readTar(decompress(stream, layer.descriptor.mediaType))) {
    context.signal.throwIfAborted();
    if (member.type !== "file") continue;
    const path = cleanAbsolute(`/${member.path}`);
    const nth = times.get(path) ?? 0;
    times.set(path, nth + 1);
    const file = wanted.get(keyOf(path, nth));
    if (file === undefined) continue;
    await writeContent(file, member.content(), { createNew: true });
    yield file;
  }
}

function keyOf(path: string, nth: number): string {
  return `${nth} ${path}`;
}

function lacking(image: LocalImage, path: string): Fault {
  return new Fault(`The image ${image.name} does not hold ${path}`, {
    next: "build or pull it again",
  });
}
