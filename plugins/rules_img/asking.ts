/** Asking Bazel what targets are made from: once for all of a workspace in a run. */

import type { BuildRequest } from "../../lib/model/plugin.ts";
import { type BazelEnd, ExitStatus, runBazel } from "./bazel/command.ts";
import { faultOfEnd } from "./bazel/faults.ts";
import { type Queried, QueryReader } from "./bazel/query.ts";
import { lockOf, type Workspace } from "./bazel/workspace.ts";
import { type Closure, closureOf } from "./closure/closure.ts";
import { type RcChain, rcChain, valuesOf, withValues, wordsOfBuild } from "./closure/rc.ts";
import { isFile, readIfThere } from "./closure/reading.ts";
import { matchedBy, queryFor, type Said, saidBy } from "./closure/roots.ts";
import { ignoredFolders } from "./closure/selections.ts";
import { SourceFinder, type Sources } from "./closure/sources.ts";
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

/** A query's answer. */
export interface Answer extends Ground {
  readonly queried: Queried;
  readonly end: BazelEnd;
  readonly finder: SourceFinder;
}

/** What a target is made from. */
export interface MadeFrom {
  readonly closure: Closure;
  readonly sources: Sources;
}

/** An answer with what belongs to all its targets. */
export interface Asked extends Answer {
  /** Folders that .bazelignore hides. */
  readonly ignored: ReadonlySet<string>;
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
  const { workspace } = ground;
  const { context } = request;
  const targets = new Set(questions.flatMap((each) => targetsOf(each, ground)));
  let answer = await query(ground, request, targets, signal);
  for (;;) {
    // What transitions name is known once the files are that an answer leads to.
    const more = settingsOf(answer, questions).filter((label) => !targets.has(label));
    if (more.length === 0) break;
    for (const label of more) targets.add(label);
    answer = await query(ground, request, targets, signal);
  }
  if (lacksLock(ground)) {
    // A build would write one: it is to go in before the key is made, on a fresh checkout too.
    const labels = new Set(questions.map(({ label }) => label));
    const args = ["build", ...recipeFlags(request), "--nobuild", "--keep_going"];
    args.push("--symlink_prefix=/", "--");
    args.push(...[...labels].filter((label) => answer.queried.has(label)));
    const command = { workspace, args, signal, log: () => {}, where: context.name };
    await runBazel(command, context.once);
  }
  const ignored = ignoredFolders(workspace.path, readIfThere(`${workspace.path}/.bazelignore`));
  return { ...answer, ignored, stray: strayOf(answer, questions) };
}

async function query(
  ground: Ground,
  request: BuildRequest,
  targets: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Answer> {
  const { workspace, rc, top } = ground;
  const { context } = request;
  const reader = new QueryReader();
  const end = await runBazel({
    workspace,
    signal,
    where: context.name,
    args: [
      "query",
      ...loadingOptions(request, rc),
      "--keep_going",
      "--output=xml",
      "--noxml:default_values",
      "--noshow_progress",
      queryFor(targets),
    ],
    log: (line) => context.log(line),
    onResult: (line) => reader.line(line),
  }, context.once);
  const { done, partly, refused } = ExitStatus;
  if (![done, partly, refused].includes(end.code)) {
    throw faultOfEnd(end, context.root, context.name);
  }
  const queried = reader.targets;
  return { ...ground, queried, end, finder: new SourceFinder(workspace.path, queried, top) };
}

/** What a question's target is made from, as an answer tells. */
export function madeFrom({ request, label }: Question, answer: Answer): MadeFrom {
  const { queried, finder } = answer;
  const { patterns, values } = saidFor(request, answer);
  const roots = new Set([label, ...matchedBy(patterns, queried)]);
  for (;;) {
    const closure = closureOf(queried, [...roots], values);
    const sources = finder.find(closure);
    const more = [...sources.settings]
      .filter((each) => queried.has(each) && !closure.labels.has(each));
    if (more.length === 0) return { closure, sources };
    for (const each of more) roots.add(each);
  }
}

/** What transitions of these targets name, as far as it may be a target. */
function settingsOf(answer: Answer, questions: readonly Question[]): string[] {
  const settings = questions.flatMap((each) => [...madeFrom(each, answer).sources.settings]);
  return [...new Set(settings)].filter((label) =>
    !answer.queried.has(label) && answer.finder.isPackage(label)
  );
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
  asked: Answer,
  questions: readonly Question[],
): string[] {
  const { queried, workspace } = asked;
  const loaded = new Set(questions.flatMap((each) => [...madeFrom(each, asked).sources.loaded]));
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
