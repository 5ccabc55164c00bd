/**
 * Build contexts as engines get them: exactly the files of the key, modes 0755 and 0644, one time
 * for all. What a user's umask, clock or editor adds cannot get into an image.
 */

import { lutimesSync } from "node:fs";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import type { Folder } from "../plan/folders.ts";
import { contextTree } from "../native/context.ts";
import type { FolderNode, Node } from "../native/rootfs.ts";

/** How many files are copied at once. */
const PARALLEL = 16;

/**
 * Lays a build context out in the scratch folder.
 *
 * The folder's name hangs on the key's files: BuildKit keeps the files of a folder by its name, and
 * takes a file whose size and time are the same for the same file.
 *
 * @returns its absolute path.
 */
export async function prepareContext(folder: Folder, context: BuildContext): Promise<string> {
  const { root } = contextTree(context.root, folder, context.tree);
  return await prepareTree(root, context.tree.root.slice(0, 32), context);
}

/**
 * Lays a tree out in the scratch folder; its files are on this machine.
 *
 * @param name the same for the same files, and for no others.
 * @returns its absolute path.
 */
export async function prepareTree(
  root: FolderNode,
  name: string,
  context: BuildContext,
): Promise<string> {
  const parent = await Deno.makeTempDir({ dir: await context.scratch(), prefix: "context-" });
  const path = `${parent}/${name}`;
  const copies: (() => Promise<void>)[] = [];
  const folders: string[] = [];
  layOut(root, path, context.created, copies, folders);
  await inParallel(copies, context.signal);
  // Folders last, the deepest first: what is put into one changes its time.
  for (const made of folders.reverse()) Deno.utimeSync(made, context.created, context.created);
  return path;
}

function layOut(
  folder: FolderNode,
  path: string,
  time: number,
  copies: (() => Promise<void>)[],
  folders: string[],
): void {
  Deno.mkdirSync(path);
  Deno.chmodSync(path, folder.mode);
  folders.push(path);
  for (const [name, node] of folder.children) {
    const target = `${path}/${name}`;
    if (node.type === "directory") layOut(node, target, time, copies, folders);
    else if (node.type === "symlink") {
      Deno.symlinkSync(node.target, target);
      lutimesSync(target, time, time);
    } else if (node.type === "file") copies.push(() => copy(node, target, time));
  }
}

async function copy(
  node: Extract<Node, { type: "file" }>,
  target: string,
  time: number,
): Promise<void> {
  if (node.content.kind !== "host") throw new Error(`${target} is no file of this machine`);
  await Deno.copyFile(node.content.path, target);
  await Deno.chmod(target, node.mode);
  await Deno.utime(target, time, time);
}

async function inParallel(
  work: readonly (() => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < work.length) {
      signal.throwIfAborted();
      await work[next++]!();
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}
