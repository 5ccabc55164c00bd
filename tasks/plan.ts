/** `images plan`: what a build would do, and why; changes nothing. */

import { shortDigest } from "../lib/model/digest.ts";
import { asFault } from "../lib/model/errors.ts";
import { type Remotes, remotesOfNodes } from "../lib/run/bases.ts";
import type { SourceIdentity } from "../lib/model/source.ts";
import type { ImageResult, TaskResult } from "../lib/model/result.ts";
import { planLines } from "../lib/report/plan_lines.ts";
import type { Session } from "../lib/run/session.ts";
import { Records } from "../lib/store/records.ts";
import { State } from "../lib/store/state.ts";
import { type CommonOptions, outputColumns, outputPalette } from "./options.ts";
import { openProject, printJson, type RunRequest, settle } from "./run.ts";
import { print } from "./print.ts";

/** Options of `plan`. */
export interface PlanOptions extends CommonOptions {
  readonly all?: boolean | undefined;
  readonly for?: "build" | "push";
  readonly to?: string;
}

/** How many reasons are shown of a node, unless `-v` asks for all. */
const SHOWN = 5;

/** Prints each image's verdict, tag and reasons; answers with the exit status. */
export async function plan(options: PlanOptions, targets: readonly string[]): Promise<number> {
  const drift: BaseDrift[] = [];
  const { registries } = await openProject(options);
  const request: Omit<RunRequest, "command"> = options.for === "push"
    ? (await import("./push.ts")).pushRun(options, targets, registries, true)
    : { mode: "plan", targets, all: options.all ?? false };
  const { document, project, status } = await settle(options, {
    ...request,
    progressOnly: true,
    command: "plan",
    then: async (session, outcome, again) => {
      drift.push(...await driftOf(session));
      return await request.then?.(session, outcome, again) ?? outcome;
    },
  });
  const records = new Records(State.of(project.root));
  if (options.json) printJson(options, { ...document, drift });
  else {
    const lines = planLines(document, {
      palette: outputPalette(options),
      limit: options.verbose ? Infinity : SHOWN,
      columns: outputColumns(),
      lastTime: (result) => recordOf(records, result)?.ms,
    });
    print([...lines, ...drift.map(describeDrift)].join("\n"));
  }
  return status;
}

function recordOf(records: Records, result: ImageResult | TaskResult) {
  return "platform" in result
    ? records.image(result.name, result.platform)
    : records.task(result.name);
}

/** Something pinned that is something else by now. */
type BaseDrift =
  & ({ readonly base: string } | { readonly source: string })
  & {
    readonly pinned: SourceIdentity;
    readonly now: SourceIdentity;
    /** Names of the images with it. */
    readonly images: readonly string[];
  };

async function driftOf(session: Session): Promise<BaseDrift[]> {
  const { pins, pinnedSources, graph } = session.circumstances;
  if (pins.size + pinnedSources.size === 0) return [];
  const drift: BaseDrift[] = [];
  const { bases, sources } = await remotesOf(session, graph.closure(session.targets.ids));
  const compare = async (
    subject: { readonly base: string } | { readonly source: string },
    pinned: SourceIdentity | undefined,
    images: ReadonlySet<string>,
    resolve: () => Promise<SourceIdentity>,
  ) => {
    if (pinned === undefined) return;
    try {
      const now = await resolve();
      if (now !== pinned) drift.push({ ...subject, pinned, now, images: [...images].sort() });
    } catch (error) {
      const why = asFault(error).message;
      session.notice(`Whether ${nameOf(subject)} has moved is not known: ${why}`);
    }
  };
  for (const [base, images] of bases) {
    await compare({ base }, pins.get(base), images, () => session.registries.resolveBase(base));
  }
  for (const [name, { source, images }] of sources) {
    const pinned = pinnedSources.get(name)?.identity;
    await compare({ source: name }, pinned, images, async () => {
      return (await session.sources.resolve(source)).identity;
    });
  }
  return drift;
}

/** Where a recipe cannot be described, its own verdict says so. */
async function remotesOf(session: Session, ids: readonly string[]): Promise<Remotes> {
  try {
    return await remotesOfNodes(session, ids);
  } catch {
    return { bases: new Map(), sources: new Map() };
  }
}

function nameOf(subject: { readonly base: string } | { readonly source: string }): string {
  return "base" in subject ? subject.base : subject.source;
}

function describeDrift(drift: BaseDrift): string {
  const { pinned, now, images } = drift;
  const change = `${shortDigest(pinned)}… → ${shortDigest(now)}…`;
  const what = "base" in drift ? `base ${drift.base}` : drift.source;
  return `${what} has moved since it was pinned: ${change} (${images.join(", ")}); ` +
    "`images pin --update` takes the new one";
}
