/** Tasks of one run: keyed when something asks, run when something that needs them is built. */

import { asFault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import { evaluateTask, type TaskEvaluation } from "../plan/evaluate_task.ts";
import type { TaskNode } from "../plan/graph.ts";
import { type HeldLock, holdLock } from "../store/lock.ts";
import { failureOf, refuseAfter, refuseWhenStopped } from "./failures.ts";
import { finished } from "./results.ts";
import { runTask } from "./run_task.ts";
import type { Session } from "./session.ts";
import type { SettledTask } from "./settled.ts";

/** Runs each task at most once, unless another run has put other outputs in its place. */
export class TaskRunner {
  readonly #session: Session;
  readonly #running = new Map<Subject, Promise<SettledTask>>();
  /** When the record was made that a task's outputs belong to. */
  readonly #made = new Map<Subject, number>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** A task's key, and whether it would have to run. Never throws. */
  async settle(node: TaskNode): Promise<SettledTask> {
    const begun = this.#session.elapsed;
    try {
      const { key, reasons, current } = await this.#evaluation(node);
      const saved = current === undefined ? {} : { saved: current.ms };
      const verdict = current === undefined ? "build" : "current";
      return { node, verdict, key, reasons, ms: this.#session.elapsed - begun, ...saved };
    } catch (error) {
      const fault = asFault(error, { where: node.id });
      return { node, status: "failed", reasons: [], fault, ms: this.#session.elapsed - begun };
    }
  }

  /**
   * Sees to it that tasks have run, and that no other run touches the outputs of these and of what
   * they need until what is given is closed. No lock is waited for in a slot, and all runs take them
   * in the graph's order, so that none waits for another that waits for it.
   */
  async hold(ids: readonly Subject[]): Promise<HeldLock> {
    const { index, graph } = this.#session.circumstances;
    // There may be thousands of needs in a row, whose calls must not nest.
    await Promise.resolve();
    for (;;) {
      await Promise.all(ids.map((id) => this.ensure(this.#task(id))));
      const nodes = graph.closure(ids).map((id) => this.#task(id));
      const ran: SettledTask[] = [];
      for (const node of nodes) ran.push(await this.ensure(node));
      refuseAfter(ran.find((task) => task.fault !== undefined));
      const held = await this.#share(nodes);
      const replaced = nodes.filter((node) => !this.#isAsLeft(node));
      if (replaced.length === 0) return held;
      held.close();
      index.fresh();
      for (const { id } of replaced) this.#running.delete(id);
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
    const settled = await this.#attempt(node);
    this.#session.emit(finished(settled));
    return settled;
  }

  async #attempt(node: TaskNode): Promise<SettledTask> {
    const session = this.#session;
    let begun = session.elapsed;
    const held: HeldLock[] = [];
    try {
      held.push(await this.hold(node.needs));
      refuseWhenStopped(session);
      const evaluation = await this.#evaluation(node);
      held.push(await this.#lock(node, "alone"));
      const { status, record } = await session.slots.run(() => {
        begun = session.elapsed;
        return runTask(session, evaluation);
      });
      this.#made.set(node.id, record.at);
      const { key, reasons } = evaluation;
      const saved = status === "cached" ? { saved: record.ms } : {};
      return { node, status, key, reasons, ms: session.elapsed - begun, ...saved };
    } catch (error) {
      const failure = failureOf(session, error, node.id);
      return { node, ...failure, reasons: [], ms: session.elapsed - begun };
    } finally {
      held.forEach((lock) => lock.close());
    }
  }

  async #share(nodes: readonly TaskNode[]): Promise<HeldLock> {
    const held: HeldLock[] = [];
    const close = () => held.forEach((lock) => lock.close());
    try {
      for (const node of nodes) held.push(await this.#lock(node, "shared"));
      return { close };
    } catch (error) {
      close();
      throw error;
    }
  }

  /** Holds a task's lock. Where that took waiting, files may have changed meanwhile. */
  async #lock({ id }: TaskNode, how: "alone" | "shared"): Promise<HeldLock> {
    const { signal, circumstances: { state, index } } = this.#session;
    let waited = false;
    const waiting = () => {
      waited = true;
      this.#session.notice("Another run is at work with its outputs; waiting", id);
    };
    const shared = how === "shared";
    const held = await holdLock(state.path("locks", `task-${id}`), { signal, shared, waiting });
    if (waited) index.fresh();
    return held;
  }

  /** Says whether no other run has made a task's outputs anew since this one saw to them. */
  #isAsLeft({ id }: TaskNode): boolean {
    return this.#session.circumstances.records.latestTask(id)?.at === this.#made.get(id);
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
