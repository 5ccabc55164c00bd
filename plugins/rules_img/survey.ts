/** What one `bazel query` tells of all targets of a run that share a workspace. */

import { Fault } from "../../lib/model/errors.ts";
import type { BuildRequest } from "../../lib/model/plugin.ts";
import { together } from "../../lib/model/together.ts";
import {
  ask,
  type Asked,
  askOnce,
  type Ground,
  groundOf,
  loadingOptions,
  madeFrom,
  type Question,
} from "./asking.ts";
import { ExitStatus } from "./bazel/command.ts";
import { errorFor, errorIn, faultOfError } from "./bazel/faults.ts";
import { formatLabel, parseTarget } from "./bazel/label.ts";
import type { Queried } from "./bazel/query.ts";
import { checkWorkspace, workspaceOf } from "./bazel/workspace.ts";
import { type Closure, packagesOf } from "./closure/closure.ts";
import { type Listed, visibleNames } from "./closure/selections.ts";
import type { Sources } from "./closure/sources.ts";
import { recipeOf } from "./flags.ts";

/** What is known of a target. */
export interface Surveyed extends Ground {
  /** Its label in full. */
  readonly label: string;
  readonly queried: Queried;
  readonly closure: Closure;
  readonly sources: Sources;
  /** What globs of its packages look at. */
  readonly listed: Listed;
  /** Names of all that they could see when Bazel was asked. */
  readonly names: string;
}

/**
 * Surveys requests, all of a workspace in one query; answers in their order.
 *
 * @param fresh asks Bazel even if this run has asked before.
 */
export async function survey(
  requests: readonly BuildRequest[],
  fresh = false,
): Promise<(Surveyed | Fault)[]> {
  const grounds = new Map<string, Ground>();
  const groundFor = (request: BuildRequest) => {
    const workspace = workspaceOf(request.context.root, recipeOf(request));
    const ground = grounds.get(workspace.path) ?? groundOf(workspace);
    grounds.set(workspace.path, ground);
    return ground;
  };
  const byLoading = Map.groupBy(requests, (request) => {
    const { workspace, rc } = groundFor(request);
    return JSON.stringify([workspace.path, loadingOptions(request, rc)]);
  });
  const answers = new Map<BuildRequest, Surveyed | Fault>();
  for (const group of byLoading.values()) {
    const ground = groundFor(group[0]!);
    const surveyed = await together(
      group.map((request) => ({ request })),
      (open, signal) => surveyGroup(ground, open, signal, fresh),
    );
    group.forEach((request, at) => answers.set(request, surveyed[at]!));
  }
  return requests.map((request) => answers.get(request)!);
}

async function surveyGroup<R extends { readonly request: BuildRequest }>(
  ground: Ground,
  group: readonly R[],
  signal: AbortSignal,
  fresh: boolean,
): Promise<ReadonlyMap<R, Surveyed | Fault>> {
  const { workspace, top: { ownNames } } = ground;
  const questions = group.map(({ request }): Question => {
    const target = parseTarget(recipeOf(request).target)!;
    const own = ownNames.has(target.repository) ? { ...target, repository: "" } : target;
    return { request, label: formatLabel(own) };
  });
  checkWorkspace(workspace, questions[0]!.request.context.name);
  const asked = await (fresh ? ask : askOnce)(ground, questions, signal);
  return new Map(group.map((each, at) => [each, answerFor(asked, questions[at]!)]));
}

/**
 * Says which of these targets are made from other files by now: a glob may have found one that
 * appeared while they were built.
 */
export async function movedSince(
  surveyed: readonly Surveyed[],
  requests: readonly BuildRequest[],
): Promise<readonly boolean[]> {
  const suspect = surveyed.map(({ listed, names }) => visibleNames(listed) !== names);
  if (!suspect.includes(true)) return suspect;
  const now = await survey(requests, true);
  return surveyed.map(({ sources }, at) => {
    const answer = now[at]!;
    return answer instanceof Fault ||
      sources.files.symmetricDifference(answer.sources.files).size > 0;
  });
}

function answerFor(
  answer: Asked,
  question: Question,
): Surveyed | Fault {
  const { label, request: { context } } = question;
  const { workspace, top, rc, queried, end, stray, ignored } = answer;
  const { closure, sources } = madeFrom(question, answer);
  const { missing } = closure;
  const error = end.code === ExitStatus.done
    ? undefined
    : errorIn(end.errors, packagesOf(closure), workspace.path) ??
      (missing.length === 0 ? undefined : errorFor(end.errors, label));
  if (error !== undefined) return faultOfError(error, context.root, context.name);
  if (missing.length > 0) {
    return new Fault(`Bazel does not know ${missing.slice(0, 3).join(", ")}`, {
      where: context.name,
      next: "run `bazel query` on the target to see why",
    });
  }
  const files = new Set([...sources.files, ...stray]);
  const listed = { workspace: workspace.path, packages: sources.packages, ignored };
  const names = visibleNames(listed);
  const own = { label, closure, listed, names, sources: { ...sources, files } };
  return { workspace, top, rc, queried, ...own };
}
