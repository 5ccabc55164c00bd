/** `images plan`: what a build would do, and why; changes nothing. */

import { type Digest, shortDigest } from "../lib/model/digest.ts";
import { asFault } from "../lib/model/errors.ts";
import { basesOfNodes } from "../lib/run/bases.ts";
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

/** A pinned base whose tag means something else by now. */
interface BaseDrift {
  readonly base: string;
  readonly pinned: Digest;
  readonly now: Digest;
  /** Names of the images on it. */
  readonly images: readonly string[];
}

async function driftOf(session: Session): Promise<BaseDrift[]> {
  const { pins, graph } = session.circumstances;
  if (pins.size === 0) return [];
  const drift: BaseDrift[] = [];
  for (const [base, images] of await basesOf(session, graph.closure(session.targets.ids))) {
    const pinned = pins.get(base);
    if (pinned === undefined) continue;
    try {
      const now = await session.registries.resolveBase(base);
      if (now !== pinned) drift.push({ base, pinned, now, images: [...images].sort() });
    } catch (error) {
      session.notice(`Whether ${base} has moved is not known: ${asFault(error).message}`);
    }
  }
  return drift;
}

/** Where a recipe cannot be described, its own verdict says so. */
async function basesOf(
  session: Session,
  ids: readonly string[],
): Promise<Map<string, Set<string>>> {
  try {
    return await basesOfNodes(session, ids);
  } catch {
    return new Map();
  }
}

function describeDrift({ base, pinned, now, images }: BaseDrift): string {
  const change = `${shortDigest(pinned)}… → ${shortDigest(now)}…`;
  return `base ${base} has moved since it was pinned: ${change} (${images.join(", ")}); ` +
    "`images pin --update` takes the new one";
}
