/** What one `bazel query` tells of all targets of a run that share a workspace. */

import { Fault } from "../../lib/model/errors.ts";
import type { BuildContext, BuildRequest } from "../../lib/model/plugin.ts";
import { together } from "../../lib/model/together.ts";
import { type BazelEnd, ExitStatus, runBazel } from "./bazel/command.ts";
import { errorFor, errorIn, faultOfEnd, faultOfError } from "./bazel/faults.ts";
import { formatLabel, matchesLabel, parseTarget } from "./bazel/label.ts";
import { type Queried, QueryReader } from "./bazel/query.ts";
import { checkWorkspace, lockOf, type Workspace, workspaceOf } from "./bazel/workspace.ts";
import { type Closure, closureOf, packagesOf } from "./closure/closure.ts";
import { type RcChain, rcChain, valuesOf } from "./closure/rc.ts";
import { isFile, readIfThere } from "./closure/reading.ts";
import { ignoredFolders, type Listed, visibleNames } from "./closure/selections.ts";
import { SourceFinder, type Sources } from "./closure/sources.ts";
import { isOwnPattern, type WorkspaceFiles, workspaceFiles } from "./closure/workspace_files.ts";
import { recipeFlags, recipeOf } from "./flags.ts";
import type { RulesImgRecipe } from "./recipe.ts";

/** What is known of a target. */
export interface Surveyed {
  readonly workspace: Workspace;
  /** Its label in full. */
  readonly label: string;
  readonly queried: Queried;
  readonly closure: Closure;
  readonly sources: Sources;
  readonly top: WorkspaceFiles;
  readonly rc: RcChain;
  /** What globs of its packages look at. */
  readonly listed: Listed;
  /** Names of all that they could see when Bazel was asked. */
  readonly names: string;
}

/** Options whose targets decide what others are built with. */
const PLATFORM_OPTIONS = [
  "--platforms",
  "--host_platform",
  "--extra_toolchains",
  "--extra_execution_platforms",
];

/** Options of the recipe's `args` that decide what is loaded; only these does a query take. */
const LOADING_OPTIONS =
  /^--(?:(?:no)?enable_(?:bzlmod|workspace)|override_(?:repository|module)|inject_repository|registry|lockfile_mode|repo_env|repository_cache|distdir|package_path|deleted_packages)(?:=|$)/;

/**
 * Surveys requests, all of a workspace in one query; answers in their order.
 *
 * @param fresh asks Bazel even if this run has asked before.
 */
export async function survey(
  requests: readonly BuildRequest[],
  fresh = false,
): Promise<(Surveyed | Fault)[]> {
  const byWorkspace = Map.groupBy(
    requests,
    (request) =>
      JSON.stringify([recipeOf(request).workspace ?? ".", loadingOptions(recipeOf(request))]),
  );
  const answers = new Map<BuildRequest, Surveyed | Fault>();
  for (const group of byWorkspace.values()) {
    const surveyed = await together(
      group.map((request) => ({ request })),
      (open, signal) => surveyGroup(open, signal, fresh),
    );
    group.forEach((request, at) => answers.set(request, surveyed[at]!));
  }
  return requests.map((request) => answers.get(request)!);
}

async function surveyGroup<R extends { readonly request: BuildRequest }>(
  group: readonly R[],
  signal: AbortSignal,
  fresh: boolean,
): Promise<ReadonlyMap<R, Surveyed | Fault>> {
  const requests = group.map(({ request }) => request);
  const [first] = requests as [BuildRequest];
  const workspace = workspaceOf(first.context.root, recipeOf(first));
  const { ownNames } = workspaceFiles(workspace.path);
  const labels = requests.map((request) => {
    const target = parseTarget(recipeOf(request).target)!;
    return formatLabel(ownNames.has(target.repository) ? { ...target, repository: "" } : target);
  });
  checkWorkspace(workspace, first.context.name);
  const asked = fresh
    ? await ask(workspace, [...new Set(labels)], requests, signal)
    : await askOnce(workspace, new Set(labels), requests, signal);
  return new Map(group.map((each, at) => {
    return [each, answerFor(asked, labels[at]!, each.request.context)];
  }));
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

/** A query's answer with what belongs to all its targets. */
interface Asked extends Omit<Surveyed, "label" | "closure" | "sources" | "names" | "listed"> {
  /** Folders that .bazelignore hides. */
  readonly ignored: ReadonlySet<string>;
  readonly end: BazelEnd;
  readonly finder: SourceFinder;
  /** Targets that no edge leads to but that every build looks at. */
  readonly registered: readonly string[];
  /** Files that are loaded by nobody knows whom. */
  readonly stray: readonly string[];
}

/** Answers of this run; a build needs no other than the one its identity came from. */
interface Answered {
  readonly about: string;
  readonly labels: ReadonlySet<string>;
  readonly answer: Asked;
}

async function askOnce(
  workspace: Workspace,
  labels: ReadonlySet<string>,
  group: readonly BuildRequest[],
  signal: AbortSignal,
): Promise<Asked> {
  const [{ context }] = group as [BuildRequest];
  const about = JSON.stringify([workspace.path, loadingOptions(recipeOf(group[0]!))]);
  const answers = await context.once("rules_img queries", () => Promise.resolve<Answered[]>([]));
  const known = answers.find((each) => each.about === about && labels.isSubsetOf(each.labels));
  if (known !== undefined) return known.answer;
  const answer = await ask(workspace, [...labels], group, signal);
  answers.push({ about, labels, answer });
  return answer;
}

async function ask(
  workspace: Workspace,
  labels: readonly string[],
  group: readonly BuildRequest[],
  signal: AbortSignal,
): Promise<Asked> {
  const [{ context }] = group as [BuildRequest];
  const rc = rcChain(workspace.path, Deno.env.get("HOME"));
  const top = workspaceFiles(workspace.path);
  const words = [...rc.words, ...group.flatMap((request) => recipeOf(request).args ?? [])];
  const patterns = [...top.registered, ...valuesOf(words, PLATFORM_OPTIONS).filter(isOwnPattern)];
  const roots = `deps(set(${[...labels, ...patterns].map(quoted).join(" ")}))`;
  const reader = new QueryReader();
  const command = { workspace, signal, where: context.name };
  const end = await runBazel({
    ...command,
    args: [
      "query",
      ...loadingOptions(recipeOf(group[0]!)),
      "--keep_going",
      "--output=xml",
      "--noxml:default_values",
      "--noshow_progress",
      `${roots} + buildfiles(${roots})`,
    ],
    log: (line) => context.log(line),
    onResult: (line) => reader.line(line),
  }, context.once);
  const { done, partly, refused } = ExitStatus;
  if (![done, partly, refused].includes(end.code)) {
    throw faultOfEnd(end, context.root, context.name);
  }
  if (lacksLock(workspace, rc)) {
    // A build would write one: it is to go in before the key is made, on a fresh checkout too.
    const args = ["build", ...recipeFlags(group[0]!), "--nobuild", "--keep_going"];
    args.push("--symlink_prefix=/", "--", ...labels.filter((label) => reader.targets.has(label)));
    await runBazel({ ...command, args, log: () => {} }, context.once);
  }
  const queried = reader.targets;
  const finder = new SourceFinder(workspace.path, queried, top);
  const registered = [...queried.keys()].filter((label) => patterns.some(matchesLabel(label)));
  const loaded = new Set(
    labels.flatMap((label) => [...finder.find(closureOf(queried, [label, ...registered])).loaded]),
  );
  const stray = [...queried].flatMap(([label, { kind }]) => {
    if (kind !== "source-file" || !label.startsWith("//") || !label.endsWith(".bzl")) return [];
    const path = `${workspace.path}/${label.slice(2).replace(/^:/, "").replace(":", "/")}`;
    return loaded.has(path) ? [] : [path];
  });
  const ignored = ignoredFolders(workspace.path, readIfThere(`${workspace.path}/.bazelignore`));
  return { workspace, queried, top, rc, ignored, end, finder, registered, stray };
}

function answerFor(
  { end, finder, registered, stray, ignored, ...asked }: Asked,
  label: string,
  context: BuildContext,
): Surveyed | Fault {
  const closure = closureOf(asked.queried, [label, ...registered]);
  const { missing } = closure;
  const error = end.code === ExitStatus.done
    ? undefined
    : errorIn(end.errors, packagesOf(closure), asked.workspace.path) ??
      (missing.length === 0 ? undefined : errorFor(end.errors, label));
  if (error !== undefined) return faultOfError(error, context.root, context.name);
  if (missing.length > 0) {
    return new Fault(`Bazel does not know ${missing.slice(0, 3).join(", ")}`, {
      where: context.name,
      next: "run `bazel query` on the target to see why",
    });
  }
  const sources = finder.find(closure);
  const files = new Set([...sources.files, ...stray]);
  const listed = { workspace: asked.workspace.path, packages: sources.packages, ignored };
  const names = visibleNames(listed);
  return { ...asked, label, closure, listed, names, sources: { ...sources, files } };
}

function lacksLock(workspace: Workspace, { words }: RcChain): boolean {
  if (!isFile(`${workspace.path}/MODULE.bazel`) || isFile(lockOf(workspace))) return false;
  return !valuesOf(words, ["--lockfile_mode"]).includes("off");
}

function loadingOptions({ args = [] }: RulesImgRecipe): string[] {
  return args.filter((arg) => LOADING_OPTIONS.test(arg));
}

function quoted(label: string): string {
  return `"${label}"`;
}
