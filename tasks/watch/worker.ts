/**
 * Builds for a watch. It is a worker because modules are loaded once: a new worker sees images.ts,
 * and the modules it imports, as they are by then.
 */

import { fixedPaths } from "../../lib/files/links.ts";
import { foldersOnTheWay, wayTo } from "../../lib/files/way.ts";
import { asFault, renderFault } from "../../lib/model/errors.ts";
import type { EventSink, RunEvent } from "../../lib/model/events.ts";
import type { Project } from "../../lib/model/recipe.ts";
import { killAllGroups } from "../../lib/process/groups.ts";
import { makeReporter, type Reporter } from "../../lib/report/reporter.ts";
import { type BuildOptions, buildRun } from "../build.ts";
import { reportSettings } from "../options.ts";
import { openProject, printJson, type RunRequest, settleWith } from "../run.ts";
import type { Answer, Order } from "./messages.ts";
import { heading } from "./screen.ts";

interface Work {
  readonly options: BuildOptions;
  readonly targets: readonly string[];
  run?: Omit<RunRequest, "command">;
}

let work: Work;
/** Ends the round that is under way. */
let stop = new AbortController();

/** A worker's own side of its messages. */
const port = globalThis as unknown as {
  onmessage: (event: MessageEvent<Order>) => unknown;
  postMessage(answer: Answer): void;
};

port.onmessage = async ({ data }) => {
  switch (data.kind) {
    case "begin":
      work = { options: data.options, targets: data.targets };
      break;
    case "round":
      port.postMessage(await round(data.changed, data.show));
      break;
    case "stop":
      stop.abort();
      break;
    case "kill":
      killAllGroups();
      port.postMessage({ kind: "killed" });
  }
};

async function round(changed: readonly string[], show: boolean): Promise<Answer> {
  stop = new AbortController();
  const folders = new Set<string>();
  const curtain = new Curtain(work.options, changed);
  if (show) void curtain.raise();
  try {
    const status = await build(curtain, show, folders);
    return { kind: "done", status, shown: curtain.isUp, folders: [...folders] };
  } catch (error) {
    const fault = asFault(error);
    await curtain.raise();
    console.error(renderFault(fault));
    return { kind: "done", status: fault.exitStatus, shown: true, folders: [...folders] };
  } finally {
    await curtain.close();
  }
}

/** Builds; goes on to publish or load only where something was done, or all is to be shown. */
async function build(curtain: Curtain, show: boolean, folders: Set<string>): Promise<number> {
  const first = work.run === undefined;
  const options = first ? work.options : { ...work.options, force: false };
  const project = await openProject(options);
  work.run ??= (await buildRun(options, work.targets)).run;
  // A destination would ask the registry even where nothing has changed.
  const { before, then, destination: _, ...rest } = work.run;
  const { document, status } = await settleWith(
    project,
    options,
    {
      ...rest,
      command: "watch",
      ...(first && before !== undefined ? { before } : {}),
      then: async (session, outcome, again) => {
        const { index } = session.circumstances;
        for (const folder of index.lookedAt) folders.add(`${project.root}/${folder}`);
        for (const folder of foldersOfLinks(project, index.lookedAt)) folders.add(folder);
        if (then === undefined || !(show || curtain.isUp)) return outcome;
        return await then(session, outcome, again);
      },
    },
    curtain.sink,
    stop.signal,
  );
  if (curtain.isUp) printJson(options, document);
  return status;
}

/** Folders of the links on the way to what was looked at, and to what is read by its name. */
function foldersOfLinks(project: Project, lookedAt: Iterable<string>): readonly string[] {
  const { root, images, tasks } = project;
  const globs = [
    ...[...images.values()].flatMap(({ common }) => common.inputs),
    ...[...tasks.values()].flatMap(({ inputs = [] }) => inputs),
  ];
  const paths = [...lookedAt, ...fixedPaths(globs), "images.lock"];
  return paths.flatMap((path) => foldersOnTheWay(wayTo(root, path)));
}

/** Holds back what happens until something is done: a touched file changes nothing on the screen. */
class Curtain {
  readonly #options: BuildOptions;
  readonly #changed: readonly string[];
  readonly #held: RunEvent[] = [];
  #reporter: Reporter | undefined;
  #raised: Promise<void> | undefined;

  constructor(options: BuildOptions, changed: readonly string[]) {
    this.#options = options;
    this.#changed = changed;
  }

  /** Whether anything is shown. */
  get isUp(): boolean {
    return this.#raised !== undefined;
  }

  /** Takes one event. */
  readonly sink: EventSink = (event) => {
    if (this.#reporter !== undefined) {
      this.#reporter.sink(event);
      return;
    }
    this.#held.push(event);
    if (isWork(event)) void this.raise();
  };

  /** Clears the screen and shows what was held back. */
  raise(): Promise<void> {
    return this.#raised ??= (async () => {
      heading(this.#options, this.#changed);
      const reporter = await makeReporter(reportSettings(this.#options));
      for (const event of this.#held) reporter.sink(event);
      this.#reporter = reporter;
    })();
  }

  /** Gives the terminal back. */
  async close(): Promise<void> {
    await this.#raised;
    this.#reporter?.close();
  }
}

function isWork(event: RunEvent): boolean {
  if (event.kind === "finished") return event.result.status !== "cached";
  return event.kind === "started" || event.kind === "output" || event.kind === "notice";
}
