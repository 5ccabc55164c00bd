/** One run: what it works on, what it was told, and how it tells what happens. */

import { FileIndex } from "../files/index.ts";
import { asFault, Fault } from "../model/errors.ts";
import type { EventSink, RunEvent, Subject } from "../model/events.ts";
import type { Overrides, Progress } from "../model/plugin.ts";
import type { Project } from "../model/recipe.ts";
import type { Circumstances } from "../plan/circumstances.ts";
import { graphOf } from "../plan/graph.ts";
import { resolveTargets, type Targets } from "../plan/targets.ts";
import { Layout } from "../store/layout.ts";
import { type HeldLock, holdLock } from "../store/lock.ts";
import { Pins } from "../store/pins.ts";
import { Records } from "../store/records.ts";
import { State } from "../store/state.ts";
import { RegistryAccess } from "./registry_access.ts";
import { SharedWork } from "./shared_work.ts";
import { Slots } from "../model/slots.ts";
import { SourceAccess } from "./source_access.ts";

/** What the command line decides about a run. */
export interface RunSettings {
  /** Most builds and tasks at once. */
  readonly jobs: number;
  /** Goes on with what does not depend on a failure. */
  readonly keepGoing: boolean;
  /** Targets are built whatever their records say. */
  readonly force: boolean;
  /** One platform instead of each image's own. */
  readonly platform?: string;
  readonly args: Readonly<Record<string, string>>;
  readonly overrides: Overrides;
  /** Asks the registry before building. */
  readonly remote: boolean;
  /** Asks for moved bases even where nothing else changed. */
  readonly pull: boolean;
  /** Of a push, name of the registry it goes to: what it holds counts more than local records. */
  readonly destination?: string;
  /** That registry is going to be written, not only asked. */
  readonly publishes?: boolean;
  /** Files that git ignores and that enter a key are an error. @default false */
  readonly strictInputs?: boolean;
  /** Where its state is. @default the project's own */
  readonly state?: State;
}

/** What was asked for. */
export interface Wanted {
  readonly targets: readonly string[];
  readonly all: boolean;
}

/** Everything the steps of one run share. */
export class Session {
  readonly settings: RunSettings;
  readonly circumstances: Circumstances;
  /** What was asked for. */
  readonly targets: Targets;
  readonly registries: RegistryAccess;
  readonly sources: SourceAccess;
  /** Slots for builds and tasks. */
  readonly slots: Slots;
  /** What builds do for each other. */
  readonly shared: SharedWork = new SharedWork();
  readonly #sink: EventSink;
  readonly #begun = performance.now();
  readonly #stop = new AbortController();
  readonly #once = new Map<string, Promise<unknown>>();
  #held: HeldLock | undefined;

  constructor(
    project: Project,
    wanted: Wanted,
    settings: RunSettings,
    sink: EventSink,
    signal: AbortSignal,
  ) {
    const state = settings.state ?? State.of(project.root);
    const graph = graphOf(project, settings.platform);
    this.settings = settings;
    this.slots = new Slots(settings.jobs);
    this.#sink = sink;
    this.targets = resolveTargets(project, graph, wanted.targets, wanted.all);
    this.registries = new RegistryAccess(project, this);
    this.sources = new SourceAccess(this);
    const pins = Pins.read(project.root);
    this.circumstances = {
      project,
      graph,
      state,
      records: new Records(state),
      layout: new Layout(state),
      index: FileIndex.open(project.root, state.index, () => state.origin, state.folder),
      args: settings.args,
      overrides: settings.overrides,
      pins: pins.digests,
      pinnedSources: pins.sources,
      forced: new Set(settings.force ? this.targets.ids : []),
      progress: (id, progress) => this.progress(id, progress),
      resolveBase: (reference) => this.registries.resolveBase(reference),
      resolveSource: async (source) => (await this.sources.resolve(source)).identity,
    };
    if (signal.aborted) this.stop(signal.reason);
    else signal.addEventListener("abort", () => this.stop(signal.reason), { once: true });
  }

  /** Aborted when the run is interrupted, or has failed and does not go on. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Goes on after a failure: told to, or, as nothing was named, to settle all that can be. */
  get keepGoing(): boolean {
    return this.settings.keepGoing || !this.targets.strict;
  }

  /** Milliseconds since the run began. */
  get elapsed(): number {
    return performance.now() - this.#begun;
  }

  /** Ends what runs and starts nothing more. */
  stop(reason: unknown = new Fault("Interrupted", { kind: "interrupted" })): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }

  /** Tells how far a node is. */
  progress(id: Subject, progress: Progress): void {
    this.emit({ kind: "progress", id, progress });
  }

  /** Tells what happens; the time is added here. */
  emit(event: Untimed<RunEvent>): void {
    this.#sink({ ...event, at: this.elapsed } as RunEvent);
  }

  /** Tells people something that is no failure. */
  notice(message: string, id?: Subject): void {
    this.emit({ kind: "notice", message, ...(id === undefined ? {} : { id }) });
  }

  /** One value for the whole run under this name. */
  once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const known = this.#once.get(name);
    if (known !== undefined) return known as Promise<T>;
    const made = make();
    this.#once.set(name, made);
    return made;
  }

  /** Keeps others from pruning the state until the session is closed. */
  async useState(): Promise<void> {
    const { state } = this.circumstances;
    state.prepare();
    this.#held ??= await holdLock(state.use, {
      shared: true,
      signal: this.signal,
      waiting: () => this.notice("The state is being pruned; waiting"),
    });
  }

  /** Keeps what was learnt about files for the next run, and ends connections. */
  async close(): Promise<void> {
    this.#keepIndex();
    this.#held?.close();
    this.#held = undefined;
    await this.registries.close();
  }

  /** Without it the next run reads files again: no reason for this one to fail. */
  #keepIndex(): void {
    const { index, state } = this.circumstances;
    try {
      // Whatever writes first, the folder ignores itself in git.
      if (index.isDirty) state.prepare();
      index.save();
    } catch (error) {
      this.notice(`What was read of files cannot be kept: ${asFault(error).message}`);
    }
  }
}

type Untimed<E> = E extends unknown ? Omit<E, "at"> : never;
