/** Taking files out of an image's layers. */

import { Fault } from "../../../lib/model/errors.ts";
import type { LocalImage } from "../../../lib/model/image.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { imageFilesystem } from "../../../lib/oci/cached_listing.ts";
import type { ImageFilesystem } from "../../../lib/oci/filesystem.ts";
import { decompress, readTar } from "../../../lib/oci/tar_read.ts";
import { writeContent } from "../../../lib/store/write_all.ts";
import { below, cleanAbsolute, splitPath } from "./rootfs.ts";

/**
 * Unpacks files of an image into the build's scratch folder, reading each layer at most once.
 *
 * @param paths real paths in the image, as its listing has them.
 * @returns the absolute path on this machine of each.
 */
export async function extractFiles(
  image: LocalImage,
  paths: ReadonlySet<string>,
  context: BuildContext,
): Promise<Map<string, string>> {
  const filesystem = await imageFilesystem(image, context.cacheDir, context.signal);
  const folder = await Deno.makeTempDir({ dir: await context.scratch(), prefix: "files-" });
  const extracted = new Map<string, string>();
  for (const [layer, wanted] of byLayer(filesystem, paths)) {
    await extractLayer(image, layer, wanted, filesystem, context, (path) => {
      const file = `${folder}/${extracted.size}`;
      extracted.set(path, file);
      return file;
    });
  }
  // A hard link shares the file of the entry it names.
  const shared = new Map<string, string>();
  for (const path of paths) {
    const file = extracted.get(filesystem.get(path)?.hardLinkTo ?? path);
    if (file === undefined) {
      throw new Fault(`The image ${image.name} does not hold ${path}`, {
        next: "build or pull it again",
      });
    }
    shared.set(path, file);
  }
  return shared;
}

function byLayer(
  filesystem: ImageFilesystem,
  paths: ReadonlySet<string>,
): Map<number, Set<string>> {
  const layers = new Map<number, Set<string>>();
  for (const path of paths) {
    const file = filesystem.get(path);
    if (file === undefined) continue;
    const wanted = layers.get(file.layer) ?? new Set();
    layers.set(file.layer, wanted.add(file.hardLinkTo ?? path));
  }
  return layers;
}

async function extractLayer(
  image: LocalImage,
  layer: number,
  wanted: ReadonlySet<string>,
  filesystem: ImageFilesystem,
  context: BuildContext,
  newFile: (path: string) => string,
): Promise<void> {
  const { descriptor, open } = image.layers[layer]!;
  const stream = await open.call(image.layers[layer], context.signal);
  for await (const member of readTar(decompress(stream, descriptor.mediaType))) {
    context.signal.throwIfAborted();
    if (member.type !== "file") continue;
    const written = cleanAbsolute(`/${member.path}`);
    const path = wanted.has(written) ? written : throughLinks(written, filesystem);
    if (!wanted.has(path)) continue;
    await writeContent(newFile(path), member.content(), { createNew: true });
  }
}

/** Where an entry lands whose folder is a link in the layers below it. */
function throughLinks(path: string, filesystem: ImageFilesystem): string {
  const { parent, name } = splitPath(path);
  return below(filesystem.resolve(parent)?.path ?? parent, name);
}
