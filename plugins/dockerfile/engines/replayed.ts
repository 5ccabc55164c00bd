/**
 * The config and history that a stage's instructions make, worked out here: engines differ in the
 * order of variables, in what SHELL does to CMD, in how ports are written, and in every line of the
 * history.
 */

import type { ContainerConfig } from "../../../lib/model/oci.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { applyToConfig, type Drafting, draftOf } from "../native/config.ts";
import { inheritedArgs, refuseOutsideArgs } from "../plan/inherited_args.ts";
import type { Options } from "../plan/options.ts";
import { type BuildArgs, Scope } from "../plan/scope.ts";
import type { Plan, PlannedStage } from "../plan/stages.ts";
import { DEFAULT_PATH } from "../plan/survey.ts";
import type { Instruction } from "../syntax/script.ts";
import type { HandedCopy } from "./handed_script.ts";
import { baseOf } from "./outside.ts";

/** What a stage comes to, but for its files. */
export interface Replayed {
  readonly config: ContainerConfig;
  readonly author?: string;
  /** `created_by` of each line above the base's own. */
  readonly lines: readonly string[];
}

interface Replay {
  readonly draft: Drafting;
  readonly scope: Scope;
  readonly lines: string[];
}

/**
 * Replays all stages of a plan.
 *
 * @param copies what stands in the place of instructions; one that copies nothing has no line.
 * @returns by index of the stage.
 */
export async function replayAll(
  plan: Plan,
  options: Options,
  copies: ReadonlyMap<Instruction, HandedCopy>,
  context: BuildContext,
): Promise<ReadonlyMap<number, Replayed>> {
  const replays = new Map<number, Replay>();
  const inherited = inheritedArgs(plan, options);
  for (const stage of plan.stages) {
    const { replay, triggers } = await begin(stage, plan, replays, context);
    replays.set(stage.index, replay);
    for (const instruction of triggers) {
      refuseOutsideArgs(instruction, plan, inherited);
      replay.lines.push(lineOf(instruction, replay, inherited, plan, options));
    }
    for (const { instruction } of stage.steps) {
      const line = lineOf(instruction, replay, plan.args, plan, options);
      if (copies.get(instruction)?.paths.length !== 0) replay.lines.push(line);
    }
  }
  return new Map([...replays].map(([index, { draft: { config, author }, lines }]) => [
    index,
    { config, ...(author === undefined ? {} : { author }), lines },
  ]));
}

async function begin(
  stage: PlannedStage,
  plan: Plan,
  replays: ReadonlyMap<number, Replay>,
  context: BuildContext,
): Promise<{ replay: Replay; triggers: readonly Instruction[] }> {
  const { origin } = stage;
  if (origin.kind === "stage") {
    const { draft, scope, lines } = replays.get(origin.index)!;
    const own = draftOf(draft.config, draft.author);
    return { replay: { draft: own, scope: scope.inherit(), lines: [...lines] }, triggers: [] };
  }
  const { script: { source, escape }, budget } = plan;
  const scope = new Scope(source, escape, { open: false }, budget);
  const base = await baseOf(stage, context);
  if (base === undefined) {
    scope.addEnvironment([`PATH=${DEFAULT_PATH}`]);
    const lines = origin.kind === "scratch" ? [] : ["COPY . /"];
    return { replay: { draft: draftOf({ WorkingDir: "/" }), scope, lines }, triggers: [] };
  }
  const { config, author } = base.config;
  const draft = draftOf(config, author);
  scope.addEnvironment(draft.config.Env ?? []);
  const triggers = plan.triggers(config?.OnBuild ?? [], stage);
  return {
    replay: { draft, scope, lines: [] },
    triggers: triggers.map(({ instruction }) => instruction),
  };
}

function lineOf(
  instruction: Instruction,
  { draft, scope }: Replay,
  args: BuildArgs,
  { script: { source } }: Plan,
  { hostArgs }: Options,
): string {
  switch (instruction.keyword) {
    case "ARG": {
      const words = scope.declare(instruction, args).map(({ name, value }) =>
        // Values of host variables may be secrets: a config is no place for them.
        value === undefined || hostArgs.has(name) ? name : `${name}=${value}`
      );
      return `ARG ${words.join(" ")}`;
    }
    case "ADD":
    case "COPY":
    case "RUN":
      return written(instruction, draft.config.Shell);
    default:
      return applyToConfig(draft, instruction, scope, source);
  }
}

/** As it stands in the Dockerfile: its variables may hold what is hidden. */
function written(
  { keyword, options, args, json, heredocs }: Instruction,
  shell: readonly string[] = ["/bin/sh", "-c"],
): string {
  const flags = Object.entries(options).flatMap(([name, values]) =>
    values.map((value) => value === "true" ? `--${name}` : `--${name}=${value}`)
  );
  const begin = keyword === "RUN" && !json ? shell : [];
  const documents = keyword === "RUN" ? heredocs.map(({ content }) => `\n${content}`) : [];
  return [keyword, ...flags, ...begin, ...args].join(" ") + documents.join("");
}
