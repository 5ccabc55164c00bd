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
  // Most entries are in the same folder as the one before.
  let last = { path: "", folder: top };
  for (const entry of tree.entries) {
    if (!entry.path.startsWith(folder.prefix)) continue;
    const path = entry.path.slice(folder.prefix.length);
    if (path === "" || path.startsWith("../") || hides(path)) continue;
    const at = path.lastIndexOf("/");
    const parent = path.slice(0, Math.max(at, 0));
    if (parent !== last.path) last = { path: parent, folder: makeFolders(top, parent) };
    place(last.folder, path.slice(at + 1), nodeOf(entry, `${base}/${path}`));
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

function makeFolders(top: FolderNode, path: string): FolderNode {
  let folder = top;
  for (const name of path.split("/")) {
    const next = name === "" ? folder : folder.children.get(name);
    if (next?.type === "directory") folder = next;
    else {
      const made = folderOf(PLAIN_FOLDER);
      folder.children.set(name, made);
      folder = made;
    }
  }
  return folder;
}

function place(folder: FolderNode, name: string, node: Node): void {
  if (node.type !== "directory" || folder.children.get(name)?.type !== "directory") {
    folder.children.set(name, node);
  }
}
