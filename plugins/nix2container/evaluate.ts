/**
 * Which derivation an image is: evaluated without building anything, the images of one flake or file
 * together.
 */

import { asFault, Fault } from "../../lib/model/errors.ts";
import type { Json } from "../../lib/model/json.ts";
import type { BuildContext, BuildRequest } from "../../lib/model/plugin.ts";
import { hostPlatform } from "../../lib/model/platform.ts";
import { type Answers, together } from "../../lib/model/together.ts";
import { canonicalJson } from "../../lib/oci/json.ts";
import { askedFile, noteAsked } from "./asked.ts";
import { describe } from "./describe.ts";
import { evaluationFault } from "./evaluation_fault.ts";
import { readsElsewhere } from "./git_settings.ts";
import { type Installable, isLocked, systemOf } from "./installable.ts";
import { evaluationArgs, FEATURES, hasFunctionArgs, isImpure } from "./nix_args.ts";
import { recipeOf } from "./options.ts";
import { rememberVersion } from "./version.ts";

/** An image that Nix is asked for. */
export interface Question {
  readonly request: BuildRequest;
  readonly installable: Installable;
}

/** A derivation's path in the store, or why there is none. */
export type Derivation = string | Fault;

/** Evaluates images; answers in their order. */
export async function evaluateAll(questions: readonly Question[]): Promise<readonly Derivation[]> {
  const answers = new Map<Question, Derivation>();
  const together = Map.groupBy(questions, groupOf);
  await Promise.all([...together.values()].map(async (group) => {
    const found = await evaluateGroup(group);
    group.forEach((question, at) => answers.set(question, found[at]!));
  }));
  return questions.map((question) => answers.get(question)!);
}

/** Images that one process can evaluate: those of one flake, or of one file for one system. */
function groupOf({ request: { image, context }, installable }: Question): string {
  const args = evaluationArgs(recipeOf(image).args ?? []);
  const target = installable.kind === "flake"
    ? [installable.reference]
    : [installable.file, systemOf(context.platform)];
  return JSON.stringify([installable.kind, target, args, context.env]);
}

/** One process for all; those it does not find are asked for one by one, for Nix to say why. */
async function evaluateGroup(group: readonly Question[]): Promise<readonly Derivation[]> {
  const [first] = group;
  const joint = group.length > 1 && !hasFunctionArgs(argsOf(first!))
    ? await together(group, jointly)
    : [];
  return await Promise.all(group.map(async (question, at) => joint[at] ?? await alone(question)));
}

async function jointly(
  group: readonly Question[],
  signal: AbortSignal,
): Promise<Answers<Question, string | null>> {
  const { installable } = group[0]!;
  const wanted = group.map((question) => {
    const path = selection(question).map(quoted);
    const image = path.length === 0 ? "v" : `v.${path.join(".")} or null`;
    return `(let d = ${image}; in if d == null then d else d.drvPath)`;
  });
  const value = installable.kind === "flake"
    ? "v: "
    : "f: let v = if builtins.isFunction f then f { } else f; in ";
  const target = installable.kind === "flake"
    ? [`${installable.reference}#packages`]
    : ["-f", installable.file];
  const { found = [] } = await evaluate(group, target, value + answerOf(wanted), false, signal);
  return new Map(group.map((question, at) => [question, found[at] ?? null]));
}

async function alone(question: Question): Promise<Derivation> {
  const { request: { context }, installable } = question;
  const target = installable.kind === "flake" ? [installable.text, ...systemOption(question)] : [
    "-f",
    installable.file,
    ...(installable.attribute.length === 0 ? [] : [dotted(installable)]),
  ];
  const apply = `d: ${answerOf(["d.drvPath"])}`;
  try {
    const { found, lines } = await evaluate([question], target, apply, true, context.signal);
    const [derivation] = found ?? [];
    return derivation ?? await evaluationFault(question, lines);
  } catch (error) {
    return asFault(error, { where: context.name });
  }
}

/** The attribute path below `packages`, or in the file. */
function selection({ request: { context }, installable }: Question): readonly string[] {
  const { attribute } = installable;
  if (installable.kind === "file") return attribute;
  if (attribute[0] === "packages") return attribute.slice(1);
  return [systemOf(context.platform), ...attribute];
}

function dotted({ attribute }: Installable): string {
  return attribute.map((part) => /^[\w-]+$/.test(part) ? part : quoted(part)).join(".");
}

function quoted(name: string): string {
  return `"${name.replace(/["\\]|\$(?=\{)/g, "\\$&")}"`;
}

function answerOf(derivations: readonly string[]): string {
  return `{ version = builtins.nixVersion; found = [ ${derivations.join(" ")} ]; }`;
}

/** What Nix takes for its own system where another one is meant. */
function systemOption({ request: { context } }: Question): readonly string[] {
  const system = systemOf(context.platform);
  return system === systemOf(hostPlatform()) ? [] : ["--option", "system", system];
}

async function evaluate(
  group: readonly Question[],
  target: readonly string[],
  apply: string,
  log: boolean,
  signal: AbortSignal,
): Promise<{ readonly found?: readonly (string | null)[]; readonly lines: readonly string[] }> {
  const [question] = group;
  const { request: { context }, installable } = question!;
  const lines: string[] = [];
  const { code, stdout } = await context.run(
    [
      ...["nix", "eval", "--json", ...FEATURES],
      ...(installable.kind === "flake" ? ["--no-write-lock-file"] : systemOption(question!)),
      ...evaluationArgs(argsOf(question!)),
      ...target,
      ...["--apply", apply],
    ],
    {
      env: context.env,
      capture: true,
      allowFailure: true,
      signal,
      onLine: (line) => {
        lines.push(line);
        return log;
      },
    },
  );
  if (code !== 0) return { lines };
  const { version, found } = JSON.parse(stdout) as { version: string; found: (string | null)[] };
  await rememberVersion(context, version);
  for (const each of group) noteImpurity(each, lines);
  return { found, lines };
}

/** What an unlocked flake, or a file that may read anything, is now says nothing of the next run. */
function noteImpurity({ request, installable }: Question, lines: string[]) {
  const { image, context } = request;
  const unlocked = lines.some((line) => /not writing modified lock file/.test(line));
  if (unlocked) warnOfLock(context);
  const fetched = installable.kind === "flake" && installable.local === undefined;
  const always = unlocked || installable.kind === "file" || isImpure(recipeOf(image).args ?? []) ||
    (fetched && !isLocked(installable.reference)) || readsElsewhere() || isOutdated(request);
  noteAsked(askedFile(image, context), always);
}

/** Whether a recorded description no longer names all that must hold: the user's git has changed. */
function isOutdated({ image, context, description }: BuildRequest): boolean {
  const { guard = null } = describe(image, context);
  return canonicalJson(guard as Json) !== canonicalJson((description.guard ?? null) as Json);
}

function warnOfLock(context: BuildContext): void {
  context.notice(
    "flake.lock does not lock every input, so it is evaluated on every run; `nix flake lock` writes it",
  );
}

function argsOf({ request: { image } }: Question): readonly string[] {
  return recipeOf(image).args ?? [];
}
