/** `images plan`: what a build would do, and why; changes nothing. */

import { type Digest, shortDigest } from "../lib/model/digest.ts";
import { asFault } from "../lib/model/errors.ts";
import { basesOfNodes } from "../lib/run/bases.ts";
import type { ImageResult, TaskResult } from "../lib/model/result.ts";
import { destinationLines } from "../lib/report/destinations.ts";
import { describeReason } from "../lib/report/words.ts";
import type { Session } from "../lib/run/session.ts";
import { type CommonOptions, outputPalette } from "./options.ts";
import { openProject, printJson, type RunRequest, settle } from "./run.ts";

/** Options of `plan`. */
export interface PlanOptions extends CommonOptions {
  readonly all?: boolean;
  readonly for?: "build" | "push";
  readonly to?: string;
}

/** How many reasons a line shows before it says how many more there are. */
const SHOWN = 5;

/** Prints each image's verdict, tag and reasons; answers with the exit status. */
export async function plan(options: PlanOptions, targets: readonly string[]): Promise<number> {
  const drift: BaseDrift[] = [];
  const { registries } = await openProject(options);
  const request: Omit<RunRequest, "command"> = options.for === "push"
    ? (await import("./push.ts")).pushRun(options, targets, registries, true)
    : { mode: "plan", targets, all: options.all ?? false };
  const { document, status } = await settle(options, {
    ...request,
    progressOnly: true,
    command: "plan",
    then: async (session, outcome, again) => {
      drift.push(...await driftOf(session));
      return await request.then?.(session, outcome, again) ?? outcome;
    },
  });
  if (options.json) printJson(options, { ...document, drift });
  else {
    for (const line of render([...document.tasks, ...document.images], options)) console.log(line);
    for (const line of drift.map(describeDrift)) console.log(line);
  }
  return status;
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

function* render(
  results: readonly (ImageResult | TaskResult)[],
  options: CommonOptions,
): Iterable<string> {
  const palette = outputPalette(options);
  const label = (each: ImageResult | TaskResult) =>
    "platform" in each && each.needs !== undefined ? nameOf(each, results) : each.name;
  const width = Math.max(0, ...results.map((each) => label(each).length));
  for (const each of results) {
    const verdict = each.verdict ?? "unknown";
    const tag = "tag" in each && each.tag !== undefined ? palette.dim(each.tag) : "";
    const word = palette.status(verdict) + " ".repeat("unavailable".length - verdict.length);
    yield `${palette.name(label(each).padEnd(width))}  ${word}  ${tag}`.trimEnd();
    for (const reason of each.reasons.slice(0, SHOWN)) yield `    ${describeReason(reason)}`;
    const more = each.reasons.length - SHOWN;
    if (more > 0) yield palette.dim(`    and ${more} more; \`images why ${each.name}\` shows all`);
    if (each.error !== undefined) yield `    ${palette.error(each.error.message)}`;
    const destinations = "destinations" in each ? each.destinations ?? [] : [];
    for (const line of destinationLines(destinations, palette)) yield `    ${line}`;
  }
}

/** The platform is part of the name where an image has several. */
function nameOf(image: ImageResult, all: readonly (ImageResult | TaskResult)[]): string {
  const several = all.filter((each) => each.name === image.name).length > 1;
  return several ? `${image.name}@${image.platform}` : image.name;
}
