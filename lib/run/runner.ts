/**
 * Settles nodes: each once, after what it needs, as many at once as there are slots.
 *
 * A node is described, keyed and compared with its record; what is not current is looked for in the
 * registry and only then built. Planning goes the same way and stops before it would build.
 */

import { asFault, Fault, unavailableFault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { LocalImage } from "../model/image.ts";
import type { Plugin, ToolNeed } from "../model/plugin.ts";
import type { Reason } from "../model/result.ts";
import {
  evaluateImage,
  identified,
  type ImageEvaluation,
  keyTree,
  type PreparedImage,
  prepareImage,
  type SettledNeeds,
  stillHolds,
} from "../plan/evaluate_image.ts";
import type { ImageNode } from "../plan/graph.ts";
import { hasRemotes, recordable, type RemoteDigests, remotesOf } from "../plan/remotes.ts";
import { ownReasons } from "../plan/own_reasons.ts";
import { which } from "../process/which.ts";
import { type HeldLock, withLock } from "../store/lock.ts";
import type { ImageRecord } from "../store/records.ts";
import { Batches, type Ticket } from "./batches.ts";
import { timeLimit } from "./build_context.ts";
import {
  failureOf,
  faultAbout,
  isUnavailable,
  refuseAfter,
  refuseWhenStopped,
} from "./failures.ts";
import { withLogOf } from "./faults.ts";
import { finished } from "./results.ts";
import { lazy } from "../model/lazy.ts";
import { Slots } from "../model/slots.ts";
import type { Session } from "./session.ts";
import type { Settled, SettledImage, SettledTask } from "./settled.ts";
import { TaskRunner } from "./task_runner.ts";

/** Not needed where nothing has changed. */
const building = lazy(() => import("./build_image.ts"));
const lookingUp = lazy(() => import("./source_lookup.ts"));
const lookingAtInputs = lazy(() => import("./ignored_inputs.ts"));
const sourceKeys = lazy(() => import("../plan/source_key.ts"));

/** Whether what is not current is built, or only said. */
export type Mode = "build" | "plan";

/** How many images are described and have their files looked at, at once. */
const LOOKING = 4;

/** A record, and whether this run has built it. */
interface Made {
  readonly record: ImageRecord;
  readonly fresh: boolean;
}

/** Settles the nodes of one run. */
export class Runner {
  readonly #session: Session;
  readonly #mode: Mode;
  readonly #settled = new Map<Subject, Promise<Settled>>();
  readonly #tasks: TaskRunner;
  readonly #batches: Batches;
  /** What is known of one image's files is put away before too many others are looked at. */
  readonly #looking = new Slots(LOOKING);
  /** Notices of descriptions: an image may be evaluated again. */
  readonly #told = new Set<string>();
  /** When builds got their turn; what they waited before is not counted as theirs. */
  readonly #begun = new Map<Subject, number>();

  constructor(session: Session, mode: Mode) {
    this.#session = session;
    this.#mode = mode;
    this.#tasks = new TaskRunner(session);
    this.#batches = new Batches(session);
  }

  /** Settles the targets and all they need; answers in the graph's order. */
  async run(): Promise<Settled[]> {
    const { circumstances: { graph }, targets } = this.#session;
    if (this.#mode === "build") await this.#session.useState();
    const settled = await Promise.all(graph.closure(targets.ids).map((id) => this.settle(id)));
    if (this.#mode === "plan") return settled;
    const named = targets.ids.map((id) => graph.node(id)).filter((node) => node.type === "task");
    await Promise.all(named.map((node) => this.#tasks.ensure(node)));
    return await Promise.all(settled.map((each) => this.#outcome(each)));
  }

  /** Settles one node after what it needs. Never throws: what fails is part of the answer. */
  settle(id: Subject): Promise<Settled> {
    const known = this.#settled.get(id);
    if (known !== undefined) return known;
    const node = this.#session.circumstances.graph.node(id);
    const settled = node.type === "task" ? this.#tasks.settle(node) : this.#settleImage(node);
    this.#settled.set(id, settled);
    return settled;
  }

  async #settleImage(node: ImageNode): Promise<SettledImage> {
    const session = this.#session;
    const needs = await Promise.all(node.needs.map((id) => this.settle(id)));
    const ticket = this.#batches.enter();
    const looked = await this.#looking.acquire();
    const begun = session.elapsed;
    let settled: SettledImage;
    try {
      if (this.#mode === "build") {
        refuseAfter(needs.find((need) => need.fault !== undefined));
        refuseWhenStopped(session);
      }
      const { status, verdict, ...decided } = await this.#decide(node, needs, ticket, looked);
      const word = this.#mode === "plan" ? { verdict } : { status };
      const saved = verdict === "current" ? { saved: decided.record?.ms ?? 0 } : {};
      settled = { node, ms: 0, ...decided, ...word as Partial<SettledImage>, ...saved };
    } catch (error) {
      settled = { node, ms: 0, reasons: [], ...this.#failure(error, node.id) };
    } finally {
      looked();
      ticket.leave();
    }
    settled = { ...settled, ms: session.elapsed - (this.#begun.get(node.id) ?? begun) };
    session.emit(finished(settled));
    return settled;
  }

  async #decide(
    node: ImageNode,
    needs: readonly Settled[],
    ticket: Ticket,
    looked: () => void,
  ): Promise<Omit<SettledImage, "node" | "ms">> {
    const session = this.#session;
    const known = settledNeeds(needs);
    if (known === undefined) {
      const own = await ownReasons(session.circumstances, node);
      const reasons = [...own, ...pendingNeeds(needs)];
      const blocker = needs.find(({ verdict }) => verdict === "unavailable");
      if (blocker === undefined) return { verdict: "unknown", reasons };
      const fault = unavailableFault(`It needs "${blocker.node.id}", which is unavailable`);
      return { verdict: "unavailable", reasons, fault };
    }
    const evaluation = await this.#evaluate(node, known, looked);
    looked();
    const { key, reasons, prepared, current: record } = evaluation;
    const { description, identity } = prepared;
    const keyed = { key, reasons, description, ...(identity === undefined ? {} : { identity }) };
    const { strictInputs } = session.settings;
    if (strictInputs) await this.#noteOddInputs(prepared);
    if (record !== undefined && session.settings.destination === undefined) {
      return { ...keyed, status: "cached", verdict: "current", record };
    }
    const found = evaluation.found ?? await session.registries.find(evaluation);
    if (record !== undefined && (found === undefined || found.imageId === record.imageId)) {
      return { ...keyed, status: "cached", verdict: "current", record };
    }
    if (found !== undefined) {
      const record = this.#mode === "build" ? await this.#adopt(evaluation, found) : found;
      return { ...keyed, status: "remote", verdict: "remote", record };
    }
    const unavailable = await this.#unavailability(prepared);
    if (unavailable === undefined && !strictInputs) await this.#noteOddInputs(prepared);
    if (this.#mode === "plan") {
      if (unavailable === undefined) return { ...keyed, verdict: "build" };
      return { ...keyed, verdict: "unavailable", fault: unavailable };
    }
    if (unavailable !== undefined) throw unavailable;
    const made = await this.#build(evaluation, known, ticket);
    const { record: now, fresh } = made;
    return { ...keyed, status: fresh ? "built" : "cached", key: now.key, record: now };
  }

  /** @param looked told when a tool or registry is asked, as many images as there are at once. */
  async #evaluate(
    node: ImageNode,
    needs: SettledNeeds,
    looked: () => void = () => {},
  ): Promise<ImageEvaluation> {
    const session = this.#session;
    const { circumstances: c } = session;
    const described = await prepareImage(c, node);
    this.#tell(node, described.description.notices);
    if (described.unidentified || hasRemotes(described.description)) looked();
    let prepared: PreparedImage = described;
    if (described.unidentified) {
      const missing = missingTool(described.description.tools ?? []);
      const lookup = await (await lookingUp()).findBySource(
        session,
        described,
        needs,
        missing === undefined,
      );
      if (lookup.evaluation !== undefined) {
        return await this.#refreshed(lookup.evaluation, false);
      }
      if (missing !== undefined) throw missingToolFault(node, missing, lookup.lookedFor);
      prepared = await this.#identify(described);
    }
    const ask = session.settings.pull || this.#mode === "plan";
    const remotes = await this.#remotes(prepared, ask);
    const evaluation = await evaluateImage(c, prepared, needs, remotes);
    if (evaluation.current !== undefined) {
      return await this.#refreshed(evaluation, described.unidentified);
    }
    if (ask || !hasRemotes(prepared.description)) return evaluation;
    // It must be built anyway, so its bases may as well be the present ones.
    const asked = await this.#remotes(prepared, true);
    return await evaluateImage(c, prepared, needs, asked);
  }

  #tell(node: ImageNode, notices: readonly string[] = []): void {
    for (const notice of notices) {
      const text = `${node.id}: ${notice}`;
      if (!this.#told.has(text)) this.#session.notice(notice, node.id);
      this.#told.add(text);
    }
  }

  /**
   * What bases and sources are. Where there is no answer, a plan goes on with what is recorded; what
   * cannot be asked for matters less than a tool that is missing anyway.
   */
  async #remotes(prepared: PreparedImage, ask: boolean): Promise<RemoteDigests> {
    const { circumstances: c, settings } = this.#session;
    try {
      return await remotesOf(c, prepared, ask);
    } catch (error) {
      const unavailable = await this.#unavailability(prepared);
      if (unavailable !== undefined) throw unavailable;
      if (!ask || settings.pull || prepared.record === undefined) throw error;
      const remotes = await remotesOf(c, prepared, false);
      const why = asFault(error).message;
      this.#session.notice(`Its bases could not be asked for: ${why}`, prepared.node.id);
      return remotes;
    }
  }

  async #noteOddInputs(prepared: PreparedImage): Promise<void> {
    await (await lookingAtInputs()).noteOddInputs(this.#session, prepared);
  }

  /** Why this machine cannot build an image, as far as can be told before its tasks run. */
  async #unavailability(prepared: PreparedImage): Promise<Fault | undefined> {
    const { node, description } = prepared;
    const missing = missingTool(description.tools ?? []);
    if (missing !== undefined) return missingToolFault(node, missing);
    const plugin = await node.image.plugin.load();
    if (plugin.preflight === undefined) return undefined;
    const session = this.#session;
    const need = (name: string) => this.#need(node, name);
    const limit = timeLimit(session.signal, node.image.common.timeout, node.id);
    const { context } = await (await building()).openContext(
      session,
      prepared,
      undefined,
      limit.signal,
      need,
    );
    try {
      limit.begin();
      await plugin.preflight({ image: node.image, description, context });
      return undefined;
    } catch (error) {
      const { aborted, reason } = limit.signal;
      const fault = asFault(aborted && reason instanceof Fault ? reason : error, {
        where: node.id,
      });
      if (fault.kind !== "unavailable") throw fault;
      return fault;
    } finally {
      limit.clear();
      await context.close();
    }
  }

  async #identify(prepared: PreparedImage): Promise<PreparedImage> {
    const { node } = prepared;
    this.#session.progress(node.id, { phase: "identifying" });
    const identity = await this.#batches.identify(prepared, (name) => this.#need(node, name));
    return await identified(this.#session.circumstances, prepared, identity);
  }

  /** Makes the record that stands for the key the latest, with all that it now holds for. */
  async #refreshed(evaluation: ImageEvaluation, isAsked: boolean): Promise<ImageEvaluation> {
    const { circumstances: c } = this.#session;
    const { prepared, parts, current: record } = evaluation;
    if (record === undefined || this.#mode === "plan") return evaluation;
    const { guard, tree, recipe, reads, description } = prepared;
    const same = record === prepared.record && guard === record.guard && tree === record.tree &&
      recipe === record.description.recipe && reads === record.description.reads;
    if (same) return evaluation;
    if (tree !== record.tree) c.records.putTree(tree, (await keyTree(c, prepared)).entries);
    const { schema: _, sourceKey: before, ...rest } = record;
    const sourceKey = isAsked
      ? await (await sourceKeys()).sourceKeyToWrite(c, prepared, parts)
      : before;
    const current = {
      ...rest,
      // One that was found by its sources has an identity of its own until its tool is asked.
      parts,
      ...(sourceKey === undefined ? {} : { sourceKey }),
      tree,
      ...(guard === undefined ? {} : { guard }),
      description: { recipe, reads, value: recordable(description) },
    };
    c.records.putImage(current);
    return { ...evaluation, current: { schema: 1, ...current } };
  }

  /** Records what a registry holds under our key. */
  async #adopt(evaluation: ImageEvaluation, found: ImageRecord): Promise<ImageRecord> {
    const { circumstances: c } = this.#session;
    const { prepared, parts } = evaluation;
    const tree = await keyTree(c, prepared);
    c.records.putTree(tree.root, tree.entries);
    const sourceKey = found.sourceKey ??
      await (await sourceKeys()).sourceKeyToWrite(c, prepared, parts);
    const record = { ...found, ...(sourceKey === undefined ? {} : { sourceKey }) };
    c.records.putImage(record);
    return record;
  }

  /** Builds an image once the tasks it needs have run: in a slot of its own, or in a batch. */
  async #build(
    evaluation: ImageEvaluation,
    needs: SettledNeeds,
    ticket: Ticket,
  ): Promise<Made> {
    const session = this.#session;
    const { node } = evaluation.prepared;
    const { again, outputs } = await this.#runTasks(node, ticket);
    try {
      const plugin = await node.image.plugin.load();
      const build = async () => {
        refuseWhenStopped(session);
        this.#begun.set(node.id, session.elapsed);
        // Tasks and a full queue take their time, and meanwhile files may have been edited.
        const holds = await stillHolds(session.circumstances, evaluation.prepared);
        const present = holds ? evaluation : await this.#evaluate(node, needs);
        return await this.#buildLocked(present, plugin, again);
      };
      if (plugin.buildAll !== undefined) return await build();
      again.leave();
      return await session.slots.run(build);
    } finally {
      again.leave();
      outputs?.close();
    }
  }

  /** Builds an image, unless another process has by the time its lock is free. */
  async #buildLocked(
    evaluation: ImageEvaluation,
    plugin: Plugin,
    ticket: Ticket,
  ): Promise<Made> {
    const session = this.#session;
    const { circumstances: c } = session;
    const { prepared: { node }, key, recordedAt } = evaluation;
    const lock = c.state.path("locks", `image-${node.id.replaceAll("/", "-")}`);
    const waiting = () => {
      ticket.leave();
      session.notice("Another run is building it; waiting", node.id);
    };
    return await withLock(lock, async () => {
      const made = c.records.imageResult(node.image.name, node.platform, key);
      if (made !== undefined && made.at !== recordedAt) {
        c.records.putImage(made);
        return { record: made, fresh: false };
      }
      return { record: await this.#buildAlone(evaluation, plugin, ticket), fresh: true };
    }, { signal: session.signal, waiting });
  }

  /** Runs the tasks that an image needs, and holds their outputs; meanwhile no batch waits for it. */
  async #runTasks(
    node: ImageNode,
    ticket: Ticket,
  ): Promise<{ readonly again: Ticket; readonly outputs?: HeldLock }> {
    const { graph } = this.#session.circumstances;
    const tasks = node.needs.filter((id) => graph.node(id).type === "task");
    if (tasks.length === 0) return { again: ticket };
    ticket.leave();
    const outputs = await this.#tasks.hold(tasks);
    return { again: this.#batches.enter(), outputs };
  }

  async #buildAlone(
    evaluation: ImageEvaluation,
    plugin: Plugin,
    ticket: Ticket,
  ): Promise<ImageRecord> {
    const session = this.#session;
    const { node } = evaluation.prepared;
    const pending = await (await building()).startBuild(
      session,
      evaluation,
      (name) => this.#need(node, name),
    );
    const { context } = pending.request;
    try {
      if (plugin.buildAll !== undefined) {
        return await pending.finish(await this.#batches.build(pending, ticket));
      }
      pending.begin();
      return await pending.finish(await plugin.build(pending.request));
    } catch (error) {
      const { signal, logFile } = context;
      const cause = signal.aborted && signal.reason instanceof Fault ? signal.reason : error;
      throw withLogOf(faultAbout(cause, node.id), logFile);
    } finally {
      await pending.close();
    }
  }

  /** A needed image on the platform of what needs it. */
  async #need(node: ImageNode, name: string): Promise<LocalImage> {
    const { graph } = this.#session.circumstances;
    const id = node.needs.find((need) => {
      const other = graph.node(need);
      return other.type === "image" && other.image.name === name;
    });
    const settled = id === undefined ? undefined : await this.settle(id) as SettledImage;
    if (settled?.record === undefined) {
      throw new Fault(`The image "${name}" is not there on ${node.platform}`, { where: node.id });
    }
    const { localImage } = await import("./local_image.ts");
    return await localImage(this.#session, settled.record);
  }

  #failure(error: unknown, id: Subject): Pick<SettledImage, "status" | "verdict" | "fault"> {
    if (this.#mode === "build") return failureOf(this.#session, error, id);
    const fault = faultAbout(error, id);
    return isUnavailable(fault, this.#session.targets)
      ? { verdict: "unavailable", fault: fault.as("unavailable") }
      : { verdict: "unknown", fault };
  }

  /** A task that nothing had a reason to run is left as it is. */
  async #outcome(settled: Settled): Promise<Settled> {
    if (settled.node.type === "image" || settled.fault !== undefined) return settled;
    const ran = await this.#tasks.outcome(settled.node.id);
    if (ran !== undefined) return ran;
    const isCurrent = settled.verdict === "current";
    return { ...settled as SettledTask, status: isCurrent ? "cached" : "skipped", reasons: [] };
  }
}

/** Image IDs and task keys of all needs; undefined while one of them must be built first. */
function settledNeeds(needs: readonly Settled[]): SettledNeeds | undefined {
  const images: Record<string, ImageRecord["imageId"]> = {};
  const tasks: Record<string, string> = {};
  for (const need of needs) {
    if (need.node.type === "task") {
      if (need.key === undefined) return undefined;
      tasks[need.node.id] = need.key;
    } else {
      const { record } = need as SettledImage;
      if (record === undefined) return undefined;
      images[need.node.image.name] = record.imageId;
    }
  }
  return { images, tasks };
}

function pendingNeeds(needs: readonly Settled[]): Reason[] {
  const pending = needs.filter((need) =>
    need.node.type === "image" && (need as SettledImage).record === undefined
  );
  return pending.map(({ node }) => ({
    kind: "need-changed",
    path: node.id,
    detail: "must be built first",
  }));
}

function missingTool(needs: readonly ToolNeed[]): ToolNeed | undefined {
  return needs.find((need) => need.anyOf.every((name) => which(name) === undefined));
}

function missingToolFault(node: ImageNode, need: ToolNeed, lookedFor?: string): Fault {
  const names = need.anyOf.map((name) => `"${name}"`).join(" or ");
  const looked = lookedFor === undefined ? "" : `; ${lookedFor}`;
  return unavailableFault(`It must be built, and this machine has no ${names}${looked}`, {
    where: node.id,
    next: need.next,
  });
}
