/** The frame of every verb that settles images: load, run, tell, end with a status. */

import { asFault, Fault } from "../lib/model/errors.ts";
import type { EventSink } from "../lib/model/events.ts";
import type { Project } from "../lib/model/recipe.ts";
import type { ErrorResult, ResultDocument } from "../lib/model/result.ts";
import { killAllGroups } from "../lib/process/groups.ts";
import { expandGlobs } from "../lib/plan/targets.ts";
import { Recorder } from "../lib/report/last_run.ts";
import { makeReporter } from "../lib/report/reporter.ts";
import { settleIndexes } from "../lib/run/indexes.ts";
import { nameImages } from "../lib/run/names.ts";
import { type Outcome, resultDocument, savedTime } from "../lib/run/results.ts";
import { type Mode, Runner } from "../lib/run/runner.ts";
import { type RunSettings, Session } from "../lib/run/session.ts";
import type { Settled, SettledImage } from "../lib/run/settled.ts";
import { withLock } from "../lib/store/lock.ts";
import { State } from "../lib/store/state.ts";
import { loadProject } from "../lib/dsl/load.ts";
import { type CommonOptions, reportSettings, runSettings } from "./options.ts";
import { keepForResults, print } from "./print.ts";

/** What a verb wants done. */
export interface RunRequest {
  readonly command: string;
  /** `open` settles nothing: what is asked for does not hang on what would be built. */
  readonly mode: Mode | "open";
  readonly targets: readonly string[];
  readonly all: boolean;
  /** The verb prints the result itself; only what is going on and what fails is told meanwhile. */
  readonly progressOnly?: boolean;
  /** Of a push, name of the registry it goes to. */
  readonly destination?: string;
  /** What the verb itself decides about the run. */
  readonly settings?: Partial<RunSettings>;
  /** Refuses, before anything is done. */
  readonly before?: (session: Session) => void | Promise<void>;
  /**
   * Goes on from what was settled, e.g. by publishing it; what it gives is the outcome.
   *
   * @param again settles everything once more, from the records as they are by then.
   */
  readonly then?: (
    session: Session,
    outcome: Outcome,
    again: () => Promise<Outcome>,
  ) => Promise<Outcome>;
}

/** A finished run. */
export interface FinishedRun {
  readonly document: ResultDocument;
  readonly outcome: Outcome;
  readonly project: Project;
  /** 0, 1, 3 or 130. */
  readonly status: number;
}

const LOADING = "note: images.ts is still being loaded: it awaits something, or is downloaded";

/** Does something while no run uses the state. */
export function alone<T>(state: State, work: () => T | Promise<T>): Promise<T> {
  const waiting = () => console.error("note: another run is using the state; waiting for it");
  return withLock(state.use, work, { waiting });
}

const opened = new Map<string, Promise<Project>>();

/** Loads the project that `--file` names; a verb may ask as well as the run that it starts. */
export function openProject({ file }: CommonOptions): Promise<Project> {
  keepForResults();
  const project = opened.get(file) ?? loadProject(file, { waiting: () => console.error(LOADING) });
  opened.set(file, project);
  return project;
}

/** Settles what was asked for, telling about it as it happens. */
export async function settle(options: CommonOptions, request: RunRequest): Promise<FinishedRun> {
  const project = await openProject(options);
  const { progressOnly = false } = request;
  const reporter = await makeReporter({ ...reportSettings(options), progressOnly });
  const interrupt = listenForInterrupts();
  try {
    return await settleWith(project, options, request, reporter.sink, interrupt.signal);
  } finally {
    reporter.close();
    interrupt.close();
  }
}

/** The same for a project that is loaded, with whoever listens and may interrupt. */
export async function settleWith(
  project: Project,
  options: CommonOptions,
  request: RunRequest,
  teller: EventSink,
  signal: AbortSignal,
): Promise<FinishedRun> {
  const settings = {
    ...runSettings(options),
    ...(request.destination === undefined ? {} : { destination: request.destination }),
    ...request.settings,
  };
  const sink = request.mode === "build" && settings.state === undefined
    ? recorded(teller, new Recorder(State.of(project.root)))
    : teller;
  const targets = await expandGlobs(project, request.targets);
  const session = new Session(project, { ...request, targets }, settings, sink, signal);
  try {
    signal.addEventListener("abort", () => session.notice(INTERRUPTED), { once: true });
    const outcome = await settleIn(session, request);
    const status = signal.aborted ? 130 : statusOf(outcome, session.targets.strict);
    const ok = status === 0;
    const document = { ...resultDocument(request.command, outcome, session.elapsed), ok };
    session.emit({ kind: "ended", document, status, saved: savedTime(outcome) });
    return { document, outcome, project, status };
  } finally {
    await session.close();
  }
}

/** What is told to people is kept for `images report` too, where there is room for it. */
function recorded(sink: EventSink, recorder: Recorder): EventSink {
  return (event) => {
    sink(event);
    try {
      recorder.sink(event);
    } catch (error) {
      const message = `The run cannot be kept for its report: ${asFault(error).message}`;
      sink({ kind: "notice", message, at: event.at });
    }
  };
}

async function settleIn(session: Session, request: RunRequest): Promise<Outcome> {
  await request.before?.(session);
  const { graph } = session.circumstances;
  session.emit({
    kind: "began",
    command: request.command,
    nodes: graph.closure(session.targets.ids).map((id) => {
      const { type, needs } = graph.node(id);
      return { id, type, needs };
    }),
  });
  const first = await settleOnce(session, request.mode);
  const again = () => settleOnce(session, request.mode);
  return await (request.then?.(session, first, again) ?? first);
}

async function settleOnce(session: Session, mode: RunRequest["mode"]): Promise<Outcome> {
  const settled = mode === "open" ? unsettled(session) : await new Runner(session, mode).run();
  const outcome = { settled, indexes: await settleIndexes(session, settled) };
  if (mode === "build") await nameImages(session, outcome);
  return outcome;
}

/** The targets without a verdict. */
function unsettled({ targets, circumstances: { graph } }: Session): SettledImage[] {
  return targets.ids.flatMap((id) => {
    const node = graph.node(id);
    return node.type === "image" ? [{ node, reasons: [], ms: 0 }] : [];
  });
}

/** Writes a document to standard output where `--json` asks for it. */
export function printJson(options: CommonOptions, document: unknown): void {
  if (options.json) print(JSON.stringify(document));
}

/** What the first failure of a run was, as part of a document that lists something else. */
export function firstError({ images, tasks }: ResultDocument): { readonly error?: ErrorResult } {
  const results = [...tasks, ...images].filter(({ status }) => status !== "skipped");
  const error = results.find((each) => each.error !== undefined)?.error;
  return error === undefined ? {} : { error };
}

/** 1 where something failed, else 3 where a tool that was needed is missing. */
function statusOf(outcome: Outcome, strict: boolean): number {
  const failed = outcome.settled.some(isFailure) ||
    [...outcome.destinations?.values() ?? []].flat().some((each) => each.status === "failed");
  if (failed) return 1;
  const unavailable = outcome.settled.some((each) => each.fault?.kind === "unavailable");
  return strict && unavailable ? 3 : 0;
}

function isFailure(settled: Settled): boolean {
  if (settled.status === "failed") return true;
  return settled.status === undefined && settled.fault !== undefined &&
    settled.fault.kind !== "unavailable";
}

const INTERRUPTED = "Interrupted: what runs is being ended; once more ends it at once";

/** Listens to the signals that interrupt. */
export interface Interrupts {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Listens no more. */
  close(): void;
}

/** The first signal ends the run in order, the second at once. */
export function listenForInterrupts(
  atOnce: () => void | Promise<void> = killAllGroups,
): Interrupts {
  const controller = new AbortController();
  const onSignal = async () => {
    if (controller.signal.aborted) {
      await atOnce();
      Deno.exit(130);
    }
    controller.abort(new Fault("Interrupted", { kind: "interrupted" }));
  };
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  return {
    signal: controller.signal,
    close: () => signals.forEach((signal) => Deno.removeSignalListener(signal, onSignal)),
  };
}
