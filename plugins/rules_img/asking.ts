/** Asking Bazel what targets are made from: once for all of a workspace in a run. */

import type { BuildRequest } from "../../lib/model/plugin.ts";
import { type BazelEnd, ExitStatus, runBazel } from "./bazel/command.ts";
import { faultOfEnd } from "./bazel/faults.ts";
import { type Queried, QueryReader } from "./bazel/query.ts";
import { lockOf, type Workspace } from "./bazel/workspace.ts";
import { type Closure, closureOf } from "./closure/closure.ts";
import { type RcChain, rcChain, valuesOf, withValues, wordsOfBuild } from "./closure/rc.ts";
import { isFile, readIfThere } from "./closure/reading.ts";
import { depsOf, matchedBy, type Said, saidBy } from "./closure/roots.ts";
import { ignoredFolders } from "./closure/selections.ts";
import { SourceFinder } from "./closure/sources.ts";
import { type WorkspaceFiles, workspaceFiles } from "./closure/workspace_files.ts";
import { recipeFlags, recipeOf } from "./flags.ts";

/** A request with its target. */
export interface Question {
  readonly request: BuildRequest;
  /** The target's label in full. */
  readonly label: string;
}

/** What a workspace's own files and the .bazelrc chain say before Bazel is asked. */
export interface Ground {
  readonly workspace: Workspace;
  readonly top: WorkspaceFiles;
  readonly rc: RcChain;
}

/** A query's answer with what belongs to all its targets. */
export interface Asked extends Ground {
  readonly queried: Queried;
  /** Folders that .bazelignore hides. */
  readonly ignored: ReadonlySet<string>;
  readonly end: BazelEnd;
  readonly finder: SourceFinder;
  /** Files that are loaded by nobody knows whom. */
  readonly stray: readonly string[];
}

/** Answers of this run; a build needs no other than the one its identity came from. */
interface Answered {
  readonly about: string;
  readonly targets: ReadonlySet<string>;
  readonly answer: Asked;
}

/** Options that decide what is loaded; of those of a build only these does a query take. */
const LOADING_OPTIONS =
  /^--(?:(?:no)?enable_(?:bzlmod|workspace)|override_(?:repository|module)|inject_repository|registry|lockfile_mode|repo_env|repository_cache|distdir|package_path|deleted_packages)(?:=|$)/;

/** What a build of a request says about loading, other than every command does. */
export function loadingOptions(request: BuildRequest, rc: RcChain): string[] {
  const takesValue = (word: string) =>
    LOADING_OPTIONS.test(word) && !/=|^--(?:no)?enable_/.test(word);
  return withValues(wordsOfBuild(rc, recipeFlags(request)), takesValue)
    .filter((word) => LOADING_OPTIONS.test(word));
}

/** Reads what a workspace says. */
export function groundOf(workspace: Workspace): Ground {
  const rc = rcChain(workspace.path, Deno.env.get("HOME"));
  return { workspace, rc, top: workspaceFiles(workspace.path) };
}

/** Asks about all of these targets, unless an answer of this run tells of them. */
export async function askOnce(
  ground: Ground,
  questions: readonly Question[],
  signal: AbortSignal,
): Promise<Asked> {
  const [{ request }] = questions as [Question];
  const about = JSON.stringify([ground.workspace.path, loadingOptions(request, ground.rc)]);
  const targets = new Set(questions.flatMap((each) => targetsOf(each, ground)));
  const answers = await request.context.once(
    "rules_img queries",
    () => Promise.resolve<Answered[]>([]),
  );
  const known = answers.find((each) => each.about === about && targets.isSubsetOf(each.targets));
  if (known !== undefined) return known.answer;
  const answer = await ask(ground, questions, signal);
  answers.push({ about, targets, answer });
  return answer;
}

/** Asks about all of these targets with one query. */
export async function ask(
  ground: Ground,
  questions: readonly Question[],
  signal: AbortSignal,
): Promise<Asked> {
  const [{ request }] = questions as [Question];
  const { workspace, rc, top } = ground;
  const { context } = request;
  const roots = depsOf(new Set(questions.flatMap((each) => targetsOf(each, ground))));
  const reader = new QueryReader();
  const command = { workspace, signal, where: context.name };
  const end = await runBazel({
    ...command,
    args: [
      "query",
      ...loadingOptions(request, rc),
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
  const queried = reader.targets;
  if (lacksLock(ground)) {
    // A build would write one: it is to go in before the key is made, on a fresh checkout too.
    const labels = new Set(questions.map(({ label }) => label));
    const args = ["build", ...recipeFlags(request), "--nobuild", "--keep_going"];
    args.push("--symlink_prefix=/", "--", ...[...labels].filter((label) => queried.has(label)));
    await runBazel({ ...command, args, log: () => {} }, context.once);
  }
  const finder = new SourceFinder(workspace.path, queried, top);
  const ignored = ignoredFolders(workspace.path, readIfThere(`${workspace.path}/.bazelignore`));
  const asked = { ...ground, queried, ignored, end, finder };
  return { ...asked, stray: strayOf(asked, questions) };
}

/** What a question's target is made from, as an answer tells. */
export function closureFor(
  { request, label }: Question,
  { queried, ...ground }: Omit<Asked, "stray">,
): Closure {
  const { patterns, values } = saidFor(request, ground);
  return closureOf(queried, [label, ...matchedBy(patterns, queried)], values);
}

/** All that is asked about for a question. */
function targetsOf({ request, label }: Question, ground: Ground): string[] {
  const { patterns, values } = saidFor(request, ground);
  return [label, ...patterns, ...[...values.values()].flat()];
}

/** Of each request only its own: what is asked with it must not change what it is made from. */
function saidFor(request: BuildRequest, { top, rc }: Ground): Said {
  const { patterns, values } = saidBy([...rc.words, ...recipeOf(request).args ?? []]);
  return { patterns: [...top.registered, ...patterns], values };
}

/** Files of the workspace that are loaded by none of the files that could be followed. */
function strayOf(
  asked: Omit<Asked, "stray">,
  questions: readonly Question[],
): string[] {
  const { queried, workspace, finder } = asked;
  const loaded = new Set(questions.flatMap((each) => {
    return [...finder.find(closureFor(each, asked)).loaded];
  }));
  return [...queried].flatMap(([label, { kind }]) => {
    if (kind !== "source-file" || !label.startsWith("//") || !label.endsWith(".bzl")) return [];
    const path = `${workspace.path}/${label.slice(2).replace(/^:/, "").replace(":", "/")}`;
    return loaded.has(path) ? [] : [path];
  });
}

function lacksLock({ workspace, rc: { words } }: Ground): boolean {
  if (!isFile(`${workspace.path}/MODULE.bazel`) || isFile(lockOf(workspace))) return false;
  return !valuesOf(words, ["--lockfile_mode"]).includes("off");
}
