/** Turning a build's changes into layers. */

import type { Layer, LocalImage } from "../../../lib/model/image.ts";
import { type Descriptor, MediaType } from "../../../lib/model/oci.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { type LayerFile, refuseWhiteouts, writeLayer } from "../../../lib/oci/layer.ts";
import { extractFiles } from "./extract.ts";
import type { Content, FileNode, Node } from "./rootfs.ts";

/** The changes of one instruction: nodes by their absolute paths. */
export type Changes = ReadonlyMap<string, Node>;

/**
 * Writes one layer for each set of changes, in their order.
 *
 * Files are streamed from where they are; only those of another image's layers are first unpacked
 * into the build's scratch folder, each layer read once.
 */
export async function writeLayers(
  changes: readonly Changes[],
  context: BuildContext,
): Promise<Layer[]> {
  const unpacked = await unpackImageFiles(changes, context);
  const layers: Layer[] = [];
  for (const [at, change] of changes.entries()) {
    context.signal.throwIfAborted();
    context.progress({ phase: "layer", done: at + 1, total: changes.length, unit: "steps" });
    const files = [...change].map(([path, node]) => layerFile(path, node, unpacked));
    const descriptor = await context.writeBlob(
      MediaType.layer,
      writeLayer(refuseWhiteouts(files), { mtime: context.created, transient: true }),
    );
    layers.push({ descriptor, diffId: descriptor.digest, places: [{ at: "layout" }] });
  }
  return layers;
}

/** A base's layers as they are, under OCI's names for the media types that Docker named first. */
export function passOn(base: LocalImage): Layer[] {
  return base.layers.map(({ descriptor, diffId, places }) => ({
    descriptor: { ...descriptor, mediaType: ociMediaType(descriptor) },
    diffId,
    places,
  }));
}

function ociMediaType({ mediaType }: Descriptor): string {
  if (mediaType === MediaType.dockerLayer) return MediaType.layer;
  return mediaType === MediaType.dockerLayerGzip ? MediaType.layerGzip : mediaType;
}

type Unpacked = ReadonlyMap<Content, string>;

async function unpackImageFiles(
  changes: readonly Changes[],
  context: BuildContext,
): Promise<Unpacked> {
  const wanted = new Map<LocalImage, FileNode[]>();
  for (const change of changes) {
    for (const node of change.values()) {
      if (node.type !== "file" || node.content.kind !== "image") continue;
      const { image } = node.content;
      const nodes = wanted.get(image);
      if (nodes === undefined) wanted.set(image, [node]);
      else nodes.push(node);
    }
  }
  const unpacked = new Map<Content, string>();
  for (const [image, nodes] of wanted) {
    const paths = new Set(nodes.map((node) => pathOf(node.content)));
    const files = await extractFiles(image, paths, context);
    for (const { content } of nodes) unpacked.set(content, files.get(pathOf(content))!);
  }
  return unpacked;
}

function pathOf(content: Content): string {
  return content.kind === "bytes" ? "" : content.path;
}

function layerFile(path: string, node: Node, unpacked: Unpacked): LayerFile {
  const { mode, uid, gid, xattrs } = node;
  const common = { path, mode, uid, gid, ...(xattrs === undefined ? {} : { xattrs }) };
  switch (node.type) {
    case "directory":
      return { ...common, type: node.type };
    case "symlink":
      return { ...common, type: node.type, linkTarget: node.target };
    case "file": {
      const { content, size } = node;
      return {
        ...common,
        type: node.type,
        size,
        ...(content.kind === "host" && content.unpacked ? { inode: content } : {}),
        content: content.kind === "bytes"
          ? content.bytes
          : { file: content.kind === "host" ? content.path : unpacked.get(content)! },
      };
    }
    default: {
      const { type, device } = node;
      return { ...common, type, ...(device === undefined ? {} : { device }) };
    }
  }
}
