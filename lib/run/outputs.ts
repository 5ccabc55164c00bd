/**
 * Outputs of tasks: kept as one tar for each key, and put back when they are gone.
 */

import { anyOf } from "../files/match.ts";
import { fixedPart, selectionOf } from "../files/selection.ts";
import { ancestorsOf } from "../files/way.ts";
import type { Tree } from "../model/selection.ts";
import { outputsOf } from "../plan/evaluate_task.ts";
import type { Circumstances } from "../plan/circumstances.ts";
import type { Task } from "../model/recipe.ts";
import { Fault } from "../model/errors.ts";
import { removeIfThere } from "../store/atomic.ts";
import { exists } from "../store/state.ts";
import { writeContent } from "../util/write_all.ts";

/** Says whether a task's outputs are just what its record says; stats only while nothing changed. */
export async function outputsAreThere(
  c: Circumstances,
  task: Task,
  recorded: string,
): Promise<boolean> {
  return await c.index.rootOf(outputsOf(task)) === recorded;
}

/** The archive that the outputs of a key are kept in; undefined where they are not. */
export function keptOutputs(c: Circumstances, key: string): string | undefined {
  const path = storePath(c, key);
  return exists(path) ? path : undefined;
}

/**
 * Removes what stands under the output patterns, so that nothing of an earlier run stays.
 *
 * @throws {Fault} where inputs would be removed.
 */
export async function removeOutputs(c: Circumstances, task: Task, inputs: Tree): Promise<void> {
  await refuseInputsAmongOutputs(task);
  const keep = new Set(inputs.entries.map((entry) => entry.path));
  const { entries } = await c.index.tree(outputsOf(task));
  for (const entry of entries.toReversed()) {
    const path = `${c.project.root}/${entry.path}`;
    if (entry.type !== "directory" && !keep.has(entry.path)) removeIfThere(path);
    else if (entry.type === "directory") removeFolderIfEmpty(path);
  }
}

async function refuseInputsAmongOutputs({ name, inputs = [], outputs }: Task): Promise<void> {
  const { include: made, exclude = [] } = selectionOf(outputs);
  if (made.length === 0 || exclude.length > 0) return;
  const isMade = await anyOf(made);
  const both = selectionOf(inputs).include.find((glob) =>
    made.includes(glob) || ancestorsOf(fixedPart(glob)).some(isMade)
  );
  if (both === undefined) return;
  throw new Fault(`Its input "${both}" is among its outputs, which are removed before it runs`, {
    where: name,
    next: "let `outputs` name only what it makes",
  });
}

/** Keeps a task's outputs under its key. */
export async function keepOutputs(c: Circumstances, task: Task, key: string): Promise<Tree> {
  const { writeTar } = await import("../oci/tar.ts");
  const tree = await c.index.tree(outputsOf(task));
  if (tree.entries.length === 0 && task.outputs.length > 0) {
    throw new Fault("It left nothing under its outputs", {
      where: task.name,
      next: `let it write ${task.outputs.join(", ")}, or correct \`outputs\` in images.ts`,
    });
  }
  const path = storePath(c, key);
  Deno.mkdirSync(c.state.path("outputs"), { recursive: true });
  using temporary = c.state.temporaryFile("outputs");
  for await (const chunk of writeTar(tarEntries(c.project.root, tree))) temporary.write(chunk);
  temporary.moveTo(path);
  return tree;
}

/** Puts the outputs of a key back, where nothing stands in their way. */
export async function restoreOutputs(c: Circumstances, key: string): Promise<void> {
  const { readTar } = await import("../oci/tar_read.ts");
  const file = await Deno.open(storePath(c, key));
  for await (const entry of readTar(file.readable)) {
    const path = `${c.project.root}/${entry.path}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    if (entry.type === "directory") Deno.mkdirSync(path, { recursive: true });
    else if (entry.type === "symlink") Deno.symlinkSync(entry.linkTarget ?? "", path);
    else {
      const { mode } = entry;
      await writeContent(path, entry.content(), { create: true, truncate: true, mode });
    }
  }
}

function* tarEntries(root: string, tree: Tree): Iterable<import("../oci/tar.ts").TarEntry> {
  for (const entry of tree.entries) {
    const common = { path: entry.path, uid: 0, gid: 0, mtime: 0 };
    if (entry.type === "directory") yield { ...common, type: "directory", mode: 0o755 };
    else if (entry.type === "symlink") {
      yield { ...common, type: "symlink", mode: 0o777, linkTarget: entry.target ?? "" };
    } else {
      const mode = entry.executable ? 0o755 : 0o644;
      const content = { file: `${root}/${entry.path}` };
      yield { ...common, type: "file", mode, size: entry.size, content };
    }
  }
}

function removeFolderIfEmpty(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It holds something that is no output.
  }
}

function storePath(c: Circumstances, key: string): string {
  return c.state.path("outputs", `${key}.tar`);
}
