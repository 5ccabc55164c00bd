/** A build context's files as a tree, with owners and modes as builds give them to all. */

import type { Entry, Tree } from "../../../lib/model/selection.ts";
import type { Folder } from "../plan/folders.ts";
import { IgnorePatterns } from "../plan/match.ts";
import { type FolderNode, folderOf, type Node, PLAIN_FOLDER, Rootfs } from "./rootfs.ts";

/**
 * The tree of one build context, made of the input tree: what is not part of the key cannot be
 * copied. Owners are 0:0, modes 0755 and 0644, whatever they are on this machine.
 *
 * @param root absolute path of images.ts' folder.
 */
export function contextTree(root: string, folder: Folder, tree: Tree): Rootfs {
  const top = folderOf(PLAIN_FOLDER);
  const base = folder.path === "." ? root : `${root}/${folder.path}`;
  // The recipe's own inputs are in the same input tree, and may be files that the context hides.
  const ignore = new IgnorePatterns(folder.ignore);
  const hides = folder.ignore.length === 0 ? () => false : (path: string) => ignore.hides(path);
  for (const entry of tree.entries) {
    if (!entry.path.startsWith(folder.prefix)) continue;
    const path = entry.path.slice(folder.prefix.length);
    if (path === "" || path.startsWith("../") || hides(path)) continue;
    place(top, path.split("/"), nodeOf(entry, `${base}/${path}`));
  }
  return new Rootfs(top);
}

function nodeOf(entry: Entry, path: string): Node {
  const owner = { uid: 0, gid: 0 };
  switch (entry.type) {
    case "directory":
      return folderOf(PLAIN_FOLDER);
    case "symlink":
      return { type: "symlink", mode: 0o777, ...owner, target: entry.target ?? "" };
    default:
      return {
        type: "file",
        mode: entry.executable ? 0o755 : 0o644,
        ...owner,
        size: entry.size,
        content: { kind: "host", path },
      };
  }
}

function place(top: FolderNode, names: string[], node: Node): void {
  const name = names.pop()!;
  let folder = top;
  for (const step of names) {
    const next = folder.children.get(step);
    if (next?.type === "directory") folder = next;
    else {
      const made = folderOf(PLAIN_FOLDER);
      folder.children.set(step, made);
      folder = made;
    }
  }
  if (node.type !== "directory" || folder.children.get(name)?.type !== "directory") {
    folder.children.set(name, node);
  }
}
