/** Building all Bazel images of a run with one `bazel build` for each set of flags. */

import { asFault, Fault } from "../../lib/model/errors.ts";
import type { ImageSource } from "../../lib/model/image.ts";
import type { BuildRequest } from "../../lib/model/plugin.ts";
import { together } from "../../lib/model/together.ts";
import { type BazelEnd, runBazel } from "./bazel/command.ts";
import { type BuildEvents, type BuiltTarget, type Failure, parseEvents } from "./bazel/events.ts";
import { errorOfAborted, faultOfEnd, faultOfError } from "./bazel/faults.ts";
import { shortened } from "./bazel/shortened.ts";
import type { Queried } from "./bazel/query.ts";
import { readIfThere } from "./closure/reading.ts";
import { repositoryFolder } from "./closure/sources.ts";
import { describedLayers, shallowFlags } from "./described.ts";
import { imageSource, isLocal, OUTPUT_GROUPS } from "./outputs.ts";
import { LineRouter } from "./lines.ts";
import { recipeFlags, recipeOf } from "./flags.ts";
import { movedSince, survey, type Surveyed } from "./survey.ts";

/** A request whose target is known to Bazel. */
export interface Pending {
  readonly request: BuildRequest;
  readonly surveyed: Surveyed;
}

type Answer = ImageSource | Fault;

/** Builds images; answers in their order. */
export async function buildAll(requests: readonly BuildRequest[]): Promise<Answer[]> {
  const answers = new Map<BuildRequest, Answer>();
  const surveyed = await survey(requests);
  const pending = requests.flatMap((request, at): Pending[] => {
    const known = surveyed[at]!;
    if (!(known instanceof Fault)) return [{ request, surveyed: known }];
    answers.set(request, known);
    return [];
  });
  for (const group of Map.groupBy(pending, ({ request }) => flagsKey(request)).values()) {
    const built = await together(group, buildTargets);
    for (const [at, { request }] of group.entries()) answers.set(request, built[at]!);
  }
  return requests.map((request) => answers.get(request)!);
}

function flagsKey(request: BuildRequest): string {
  return JSON.stringify([recipeOf(request).workspace ?? ".", recipeFlags(request)]);
}

async function buildTargets(
  group: readonly Pending[],
  signal: AbortSignal,
): Promise<ReadonlyMap<Pending, Answer>> {
  const first = await run(group, [], signal);
  const { events } = first;
  const remote = group.filter(({ surveyed: { label, queried } }) => {
    const target = targetOf(events, label, queried);
    return target?.success === true && !isLocal(target);
  });
  // What the user's flags leave in a remote cache is fetched by Bazel, which knows the way.
  const fetched = remote.length === 0 ? events : (await run(remote, FETCH, signal)).events;
  const moved = await movedSince(
    group.map(({ surveyed }) => surveyed),
    group.map(({ request }) => request),
  );
  const answers = await Promise.all(group.map(async (pending, at): Promise<Answer> => {
    if (moved[at]) return faultOfMoved(pending);
    const isRemote = remote.includes(pending);
    try {
      return await answerFor(pending, isRemote ? { ...first, events: fetched } : first);
    } catch (error) {
      return asFault(error, { where: pending.request.context.name });
    }
  }));
  return new Map(group.map((pending, at) => [pending, answers[at]!]));
}

/** Outputs of the targets themselves are downloaded, whatever other flags say. */
const FETCH = ["--remote_download_toplevel"];

const KEEPS_REMOTE = /^--(?:experimental_)?remote_download_(?:minimal|outputs=minimal)$/;

/** How a build went. */
interface Ran {
  readonly end: BazelEnd;
  readonly events: BuildEvents;
  readonly lines: LineRouter;
}

async function run(
  group: readonly Pending[],
  extra: readonly string[],
  signal: AbortSignal,
): Promise<Ran> {
  const [{ request, surveyed: { workspace } }] = group as [Pending];
  const { context } = request;
  const flags = recipeFlags(request);
  const eventFile = `${await context.scratch()}/events-${crypto.randomUUID()}.json`;
  const shallow = group.flatMap(({ surveyed: { queried, closure } }) =>
    shallowFlags(describedLayers(queried, closure), closure)
  );
  const lines = new LineRouter(group);
  const end = await runBazel({
    workspace,
    args: [
      "build",
      ...flags,
      ...(flags.some((flag) => KEEPS_REMOTE.test(flag)) ? FETCH : []),
      ...extra,
      ...new Set(shallow),
      "--symlink_prefix=/",
      "--keep_going",
      "--show_progress",
      `--build_event_json_file=${eventFile}`,
      `--output_groups=${OUTPUT_GROUPS.join(",")}`,
      "--",
      ...new Set(group.map(({ surveyed: { label } }) => label)),
    ],
    signal,
    log: (line) => lines.take(line),
    onProgress: (done, total) => {
      for (const each of group) {
        each.request.context.progress({ phase: "step", done, total, unit: "steps" });
      }
    },
    where: context.name,
  }, context.once);
  return { end, lines, events: parseEvents(readIfThere(eventFile)) };
}

async function answerFor(
  { request, surveyed: { label, queried, closure } }: Pending,
  { events, end, lines }: Ran,
): Promise<Answer> {
  const { name, root } = request.context;
  const target = targetOf(events, label, queried);
  if (target?.success === true) {
    return await imageSource(request, label, target, describedLayers(queried, closure));
  }
  const [failure] = target?.failures ?? [];
  if (failure !== undefined) {
    const printed = readIfThere(failure.output ?? "");
    if (printed !== "") lines.tell(request, printed);
    return faultOfFailure(failure, printed, label, name);
  }
  const aborted = events.aborted.get(label) ?? { causes: [] };
  const error = errorOfAborted(end.errors, label, aborted) ?? aborted.description ??
    (end.errors.length === 0 ? aborted.reason : undefined);
  return error === undefined ? faultOfEnd(end, root, name) : faultOfError(error, root, name);
}

function faultOfMoved({ request: { context: { name } } }: Pending): Fault {
  return new Fault("Files that go in appeared or went while it was built", {
    where: name,
    next: "run the command again; nothing was recorded",
  });
}

/** Under bzlmod, events have the canonical names of repositories: those of their folders. */
function targetOf(
  { targets }: BuildEvents,
  label: string,
  queried: Queried,
): BuiltTarget | undefined {
  const known = targets.get(label);
  if (known !== undefined || !label.startsWith("@")) return known;
  const folder = repositoryFolder(queried, label) ?? "";
  const repository = folder.slice(folder.lastIndexOf("/") + 1);
  return targets.get(`@${repository}${label.slice(label.indexOf("//"))}`);
}

/** An action's own last word says more than what Bazel says of it. */
function faultOfFailure(
  failure: Failure,
  printed: string,
  target: string,
  where: string,
): Fault {
  const { label, mnemonic, status } = failure;
  const what = label === undefined ? target : `${mnemonic ?? "An action"} of ${label}`;
  const last = printed.trim().split("\n").at(-1)!.trim();
  const ended = status === undefined ? "failed" : `failed with status ${status}`;
  const word = shortened(last === "" ? failure.message : last).split("\n")[0];
  return new Fault(`${what} ${ended}: ${word}`, {
    where,
    next: "see what the action printed in the log",
  });
}
