/** Images as trees. */

import type { LocalImage } from "../../../lib/model/image.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { imageFilesystem } from "../../../lib/oci/cached_listing.ts";
import type { ImageFile } from "../../../lib/oci/filesystem.ts";
import { portableAttributes } from "../../../lib/oci/xattrs.ts";
import { type FolderNode, folderOf, type Node, PLAIN_FOLDER, Rootfs } from "./rootfs.ts";

/**
 * The files of an image, from its layers' listings: each is read once and kept by diff ID. The tree
 * is shared by all builds of a run, so fork it before changing it.
 */
export function imageTree(image: LocalImage, context: BuildContext): Promise<Rootfs> {
  return context.once(`dockerfile:tree:${image.imageId}`, async (shared) => {
    shared.log(`Listing ${image.name}`);
    const filesystem = await imageFilesystem(image, shared.cacheDir, shared.signal);
    const top = folderOf(PLAIN_FOLDER);
    const folders = new Map<string, FolderNode>([["", top]]);
    for (const file of filesystem.entries()) {
      const at = file.path.lastIndexOf("/");
      const node = nodeOf(file, image);
      if (node === undefined) continue;
      folders.get(file.path.slice(0, at))?.children.set(file.path.slice(at + 1), node);
      if (node.type === "directory") folders.set(file.path, node);
    }
    return new Rootfs(top);
  });
}

function nodeOf(file: ImageFile, image: LocalImage): Node | undefined {
  const { type, mode, uid, gid, size, path, device } = file;
  const xattrs = portableAttributes(file.xattrs);
  const meta = { mode, uid, gid, ...(xattrs === undefined ? {} : { xattrs }) };
  switch (type) {
    case "directory":
      return folderOf(meta);
    case "symlink":
      return { ...meta, type, mode: 0o777, target: file.linkTarget ?? "" };
    case "file":
      return { ...meta, type, size, content: { kind: "image", image, path } };
    case "other":
      return undefined;
    default:
      return { ...meta, type, ...(device === undefined ? {} : { device }) };
  }
}
