/** From a declared task to its key and whether its record still stands for it. */

import type { TreeOptions } from "../files/index.ts";
import { withLinksFollowed, withRealPaths } from "../files/links.ts";
import { inputSelections, selectionOf } from "../files/selection.ts";
import type { Json } from "../model/json.ts";
import { KEY_SCHEMA, type TaskKeyParts } from "../model/key.ts";
import type { Task } from "../model/recipe.ts";
import type { Reason } from "../model/result.ts";
import type { Selection, Tree } from "../model/selection.ts";
import { canonicalJson } from "../oci/json.ts";
import type { TaskRecord } from "../store/records.ts";
import type { Circumstances } from "./circumstances.ts";
import { environmentDigests } from "./environment.ts";
import { tellReading } from "./evaluate_image.ts";
import type { TaskNode } from "./graph.ts";
import { hashText } from "../oci/hash.ts";
import { keyOf } from "./key_of.ts";
import { taskReasons, treeReasons } from "./reasons.ts";
import { readRegularText } from "../util/regular_file.ts";

/** A task's key, and whether it must run if something that needs it is built. */
export interface TaskEvaluation {
  readonly node: TaskNode;
  readonly record: TaskRecord | undefined;
  readonly parts: TaskKeyParts;
  readonly key: string;
  /** Merkle root of the input tree. */
  readonly tree: string;
  /** The record whose outputs stand for the key: the latest, or an earlier one that fits again. */
  readonly current: TaskRecord | undefined;
  /** When the result under the key was recorded, also where it must run again. */
  readonly recordedAt: number | undefined;
  readonly reasons: readonly Reason[];
}

/** Makes a task's key from the keys of the tasks it needs. */
export async function evaluateTask(
  c: Circumstances,
  node: TaskNode,
  tasks: Readonly<Record<string, string>>,
): Promise<TaskEvaluation> {
  const { task } = node;
  const record = c.records.task(task.name);
  const onRead = tellReading(c, node.id);
  const tree = await c.index.rootOf(inputsOf(c, task), { ...keyOptions(c, node), onRead });
  const parts: TaskKeyParts = {
    schema: KEY_SCHEMA,
    run: await runOf(c, task),
    cwd: task.cwd,
    outputs: task.outputs,
    inputs: task.inputs === undefined ? null : tree,
    hostEnv: await environmentDigests(task.hostEnv),
    tasks,
  };
  const text = canonicalJson(parts as unknown as Json);
  const same = record !== undefined && canonicalJson(record.parts as unknown as Json) === text;
  const key = same ? record.key : await keyOf(text);
  const result = same ? record : c.records.taskResult(task.name, key);
  const isForced = c.forced.has(node.id);
  const current = isForced || task.inputs === undefined ? undefined : result;
  const reasons: Reason[] = [];
  if (isForced) reasons.push({ kind: "forced" });
  if (current === undefined) {
    if (record === undefined) reasons.push({ kind: "first-build" });
    else if (!same) reasons.push(...await whyAnother(c, node, record, parts, tree));
    else if (task.inputs === undefined) {
      reasons.push({ kind: "input-changed", detail: "no inputs are declared, so it always runs" });
    }
  }
  return { node, record, parts, key, tree, current, recordedAt: result?.at, reasons };
}

/** The files a task declares as inputs. */
export function inputsOf(c: Circumstances, { inputs = [] }: Task): readonly Selection[] {
  return inputSelections(withLinksFollowed(c.index.projectRoot, inputs));
}

/** How the key sees a task's inputs. */
function keyOptions(c: Circumstances, node: TaskNode): TreeOptions {
  const projections = withRealPaths(c.index.projectRoot, node.task.projections ?? []);
  return { without: withoutOf(c, node), projections };
}

/** The entries of a task's input tree as its key sees it. */
export function taskTree(c: Circumstances, node: TaskNode): Promise<Tree> {
  return c.index.tree(inputsOf(c, node.task), keyOptions(c, node));
}

/** The files a task declares as outputs. */
export function outputsOf(task: Task): readonly Selection[] {
  return task.outputs.length === 0 ? [] : [selectionOf(task.outputs)];
}

/** Globs a task's input tree leaves out: its own outputs, and those its needs' keys stand for. */
export function withoutOf(c: Circumstances, node: TaskNode): readonly string[] {
  const outputs = new Set<string>();
  for (const id of c.graph.closure([node.id])) {
    const each = c.graph.node(id);
    if (each.type === "task") each.task.outputs.forEach((output) => outputs.add(output));
  }
  return [...outputs].sort();
}

/** A function counts by its source and that of the modules images.ts is made of. */
async function runOf(c: Circumstances, task: Task): Promise<Json> {
  if (typeof task.run !== "function") return task.run;
  const modules: Record<string, string> = {};
  for (const path of c.project.modules) {
    if (path === c.project.file) continue;
    const name = path.startsWith(`${c.project.root}/`)
      ? path.slice(c.project.root.length + 1)
      : path;
    modules[name] = await hashText(readRegularText(path));
  }
  return { source: task.run.toString(), modules };
}

async function whyAnother(
  c: Circumstances,
  node: TaskNode,
  record: TaskRecord,
  parts: TaskKeyParts,
  tree: string,
): Promise<Reason[]> {
  const reasons = taskReasons(record.parts, parts);
  if (record.tree === tree) return reasons;
  const before = c.records.tree(record.tree);
  const now = await taskTree(c, node);
  return [
    ...(before === undefined
      ? [{ kind: "input-changed" as const, detail: "the list of files of the last run is gone" }]
      : treeReasons(before, now.entries, c.index.projections)),
    ...reasons,
  ];
}
