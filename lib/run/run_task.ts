/** Running one task, or putting its outputs back, or finding that neither is needed. */

import { asFault, Fault } from "../model/errors.ts";
import type { BuildStatus } from "../model/result.ts";
import type { Task } from "../model/recipe.ts";
import { environmentValues } from "../plan/environment.ts";
import { inputsOf, type TaskEvaluation, taskTree } from "../plan/evaluate_task.ts";
import { treeReasons } from "../plan/reasons.ts";
import { runProcess } from "../process/run.ts";
import type { TaskRecord } from "../store/records.ts";
import { timeLimit } from "./build_context.ts";
import { BuildLog } from "./build_log.ts";
import {
  keepOutputs,
  keptOutputs,
  outputsAreThere,
  removeOutputs,
  restoreOutputs,
} from "./outputs.ts";
import { faultOfChangedInputs, withLogOf } from "./faults.ts";
import type { Session } from "./session.ts";

/** What became of a task, and the record that its outputs belong to. */
export interface RanTask {
  readonly status: BuildStatus;
  readonly record: TaskRecord;
}

/** Sees to it that a task's outputs are there and belong to its key. Its lock must be held. */
export async function runTask(session: Session, evaluation: TaskEvaluation): Promise<RanTask> {
  const { circumstances: c } = session;
  const { node: { task }, key } = evaluation;
  const latest = c.records.latestTask(task.name);
  if (latest?.at !== evaluation.record?.at) c.index.fresh();
  const made = c.records.taskResult(task.name, key);
  const isNew = made !== undefined && made.at !== evaluation.recordedAt;
  const record = isNew ? made : evaluation.current;
  if (record !== undefined) {
    if (record.at !== latest?.at) c.records.putTask(record);
    if (await outputsAreThere(c, task, record.outputs)) return { status: "cached", record };
    if (await restored(session, evaluation, record)) return { status: "cached", record };
  }
  return { status: "built", record: await execute(session, evaluation) };
}

/** Puts a task's kept outputs back, and says whether they are all there now, as they were. */
async function restored(
  session: Session,
  evaluation: TaskEvaluation,
  record: TaskRecord,
): Promise<boolean> {
  const { circumstances: c } = session;
  const { node: { task, id }, key } = evaluation;
  if (keptOutputs(c, key) === undefined) return false;
  session.emit({ kind: "started", id, phase: "restoring" });
  await removeOutputs(c, task, await inputTree(session, evaluation));
  try {
    await restoreOutputs(c, key);
  } catch (error) {
    session.notice(`What was kept of its outputs is damaged: ${asFault(error).message}`, id);
  }
  c.index.fresh();
  return await outputsAreThere(c, task, record.outputs);
}

async function execute(session: Session, evaluation: TaskEvaluation): Promise<TaskRecord> {
  const { circumstances: c } = session;
  const { node: { task, id }, reasons, record } = evaluation;
  const expected = record === undefined ? {} : { expected: record.ms };
  session.emit({ kind: "started", id, phase: "running", reasons, ...expected });
  const begun = session.elapsed;
  const inputs = await inputTree(session, evaluation);
  if (inputs.entries.length === 0) await noteMissingInputs(session, evaluation);
  await removeOutputs(c, task, inputs);
  const log = new BuildLog(c.state.log(id), () => c.state.prepare());
  const limit = timeLimit(session.signal, task.timeout, id);
  try {
    limit.begin();
    await start(session, task, limit.signal, (line) => {
      log.line(line);
      session.emit({ kind: "output", id, line });
    });
  } catch (error) {
    throw withLogOf(asFault(error, { where: id }), c.state.log(id));
  } finally {
    limit.clear();
    log.close();
  }
  c.index.fresh();
  const after = await inputTree(session, evaluation);
  if (task.inputs !== undefined && after.root !== evaluation.tree) {
    const changed = treeReasons(inputs.entries, after.entries);
    throw faultOfChangedInputs(id, changed.flatMap(({ path }) => path ?? []));
  }
  const outputs = await keepOutputs(c, task, evaluation.key);
  c.records.putTree(after.root, after.entries);
  const made: Omit<TaskRecord, "schema"> = {
    name: task.name,
    key: evaluation.key,
    parts: evaluation.parts,
    tree: evaluation.tree,
    outputs: outputs.root,
    reasons: evaluation.reasons,
    ms: Math.round(session.elapsed - begun),
    at: Date.now(),
  };
  c.records.putTask(made);
  return { schema: 1, ...made };
}

/** Inputs that no file matches are a slip of the pen more often than not. */
async function noteMissingInputs(session: Session, { node }: TaskEvaluation): Promise<void> {
  const { circumstances: c } = session;
  const { id, task: { inputs = [] } } = node;
  const globs = inputs.filter((glob) => !glob.startsWith("!"));
  if (globs.length === 0) return;
  const { entries } = await c.index.tree(inputsOf(c, node.task));
  if (entries.length > 0) return;
  session.notice(`No file matches its inputs (${globs.join(", ")}): no edit will run it again`, id);
}

async function start(
  session: Session,
  task: Task,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const cwd = `${session.circumstances.project.root}/${task.cwd}`;
  if (typeof task.run !== "function") {
    try {
      const env = environmentValues(task.hostEnv);
      await runProcess(task.run, { cwd, env, signal, log, where: task.name });
    } catch (error) {
      if (!(error instanceof Fault) || error.kind !== "unavailable") throw error;
      // A program of the repository's own choice, which makes no image by itself, is not optional.
      throw new Fault(error.message, {
        where: task.name,
        next: "correct `run` in images.ts, or install the program",
        cause: error,
      });
    }
    return;
  }
  const { runFunction } = await import("../process/dax.ts");
  await runFunction(task.run, { cwd, signal, log });
}

function inputTree(session: Session, evaluation: TaskEvaluation) {
  return taskTree(session.circumstances, evaluation.node);
}
