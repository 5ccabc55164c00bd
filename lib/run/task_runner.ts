/** Tasks of one run: keyed when something asks, run when something that needs them is built. */

import { asFault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import { evaluateTask, type TaskEvaluation } from "../plan/evaluate_task.ts";
import type { TaskNode } from "../plan/graph.ts";
import { failureOf, refuseAfter, refuseWhenStopped } from "./failures.ts";
import { finished } from "./results.ts";
import { runTask } from "./run_task.ts";
import type { Session } from "./session.ts";
import type { SettledTask } from "./settled.ts";

/** Runs each task at most once. */
export class TaskRunner {
  readonly #session: Session;
  readonly #running = new Map<Subject, Promise<SettledTask>>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** A task's key, and whether it would have to run. Never throws. */
  async settle(node: TaskNode): Promise<SettledTask> {
    const begun = this.#session.elapsed;
    try {
      const { key, reasons, current, record } = await this.#evaluation(node);
      const saved = current && record !== undefined ? { saved: record.ms } : {};
      const verdict = current ? "current" : "build";
      return { node, verdict, key, reasons, ms: this.#session.elapsed - begun, ...saved };
    } catch (error) {
      const fault = asFault(error, { where: node.id });
      return { node, status: "failed", reasons: [], fault, ms: this.#session.elapsed - begun };
    }
  }

  /** Sees to it that a task's outputs, and those of the tasks it needs, are there. Never throws. */
  ensure(node: TaskNode): Promise<SettledTask> {
    const known = this.#running.get(node.id);
    if (known !== undefined) return known;
    const running = this.#run(node);
    this.#running.set(node.id, running);
    return running;
  }

  /** What became of a task, if anything asked for it. */
  outcome(id: Subject): Promise<SettledTask> | undefined {
    return this.#running.get(id);
  }

  async #run(node: TaskNode): Promise<SettledTask> {
    const session = this.#session;
    const needs = await Promise.all(node.needs.map((id) => this.ensure(this.#task(id))));
    const settled = await this.#attempt(node, needs);
    session.emit(finished(settled));
    return settled;
  }

  async #attempt(
    node: TaskNode,
    needs: readonly SettledTask[],
  ): Promise<SettledTask> {
    const session = this.#session;
    let begun = session.elapsed;
    try {
      refuseAfter(needs.find((need) => need.fault !== undefined));
      refuseWhenStopped(session);
      const evaluation = await this.#evaluation(node);
      const status = await session.slots.run(() => {
        begun = session.elapsed;
        return runTask(session, evaluation);
      });
      const { key, reasons, record } = evaluation;
      const saved = status === "cached" && record !== undefined ? { saved: record.ms } : {};
      return { node, status, key, reasons, ms: session.elapsed - begun, ...saved };
    } catch (error) {
      const failure = failureOf(session, error, node.id);
      return { node, ...failure, reasons: [], ms: session.elapsed - begun };
    }
  }

  #evaluation(node: TaskNode): Promise<TaskEvaluation> {
    return this.#session.once(`task ${node.id}`, async () => {
      const tasks: Record<string, string> = {};
      for (const id of node.needs) tasks[id] = (await this.#evaluation(this.#task(id))).key;
      return await evaluateTask(this.#session.circumstances, node, tasks);
    });
  }

  #task(id: Subject): TaskNode {
    return this.#session.circumstances.graph.node(id) as TaskNode;
  }
}
