/** The files of an image as a container would see them, read straight from its layers' tars. */

import type { OpenableLayer } from "../../lib/model/image.ts";
import { sha256 } from "../../lib/oci/sha256.ts";
import { decompress } from "../../lib/oci/decompress.ts";
import { readTar, type TarMember } from "../../lib/oci/tar_read.ts";

/** One line for each path: type, mode, owner, content. */
export type FileTable = Record<string, string>;

/** Reads all layers on top of each other. Contents are shown as digests, or whole where `texts`. */
export async function filesOf(
  layers: readonly OpenableLayer[],
  options: { readonly texts?: boolean } = {},
): Promise<FileTable> {
  const files = new Map<string, string>();
  for (const layer of layers) {
    for await (
      const member of readTar(decompress(await layer.open(), layer.descriptor.mediaType))
    ) {
      const path = `/${member.path.replace(/^\.?\/+/, "").replace(/\/+$/, "")}`;
      if (path === "/") continue;
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (name.startsWith(".wh.")) {
        remove(files, `${path.slice(0, -name.length)}${name.slice(".wh.".length)}`);
        continue;
      }
      if (member.type !== "directory") remove(files, path);
      files.set(path, await describe(member, files, options.texts ?? false));
    }
  }
  return Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function remove(files: Map<string, string>, path: string): void {
  for (const key of [...files.keys()]) {
    if (key === path || key.startsWith(`${path}/`)) files.delete(key);
  }
}

async function describe(
  member: TarMember,
  files: ReadonlyMap<string, string>,
  texts: boolean,
): Promise<string> {
  const mode = (member.mode & 0o7777).toString(8).padStart(4, "0");
  const owner = `${member.uid}:${member.gid}`;
  if (member.type === "symlink") return `link ${owner} ${member.linkTarget}`;
  if (member.type === "hardlink") return files.get(`/${member.linkTarget}`) ?? "broken";
  if (member.type === "directory") return `folder ${mode} ${owner}`;
  const attributes = (member.xattrs ?? []).map(([name, value]) => ` ${name}=${value}`).join("");
  if (member.type !== "file") {
    return `${[member.type, mode, owner, ...member.device ?? []].join(" ")}${attributes}`;
  }
  const bytes = new Uint8Array(
    await new Response(ReadableStream.from(member.content())).arrayBuffer(),
  );
  return `file ${mode} ${owner} ${
    texts ? new TextDecoder().decode(bytes) : sha256(bytes)
  }${attributes}`;
}
