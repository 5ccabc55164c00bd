/**
 * Stages out of which more may be copied than they hold: an engine leaves places to mount at in a
 * stage that it runs something in, other ones each, and COPY or a mount takes them along.
 */

import { goMatcher, hasWildcard, unescapePattern } from "../plan/match.ts";
import { pathArguments, sourcePattern } from "../plan/sources.ts";
import { originsOf, type Plan, type PlannedStage, type Step } from "../plan/stages.ts";
import { FILES, FOLDERS } from "./mount_points.ts";

/** Index of a stage → what its base left by ONBUILD. */
type Triggers = ReadonlyMap<number, readonly Step[]>;

/** Where engines leave something, or a link that usually leads there. */
const PLACES: readonly string[] = [...FOLDERS, ...FILES, "var/run"];

/**
 * The indexes of stages that run something and out of which a place to mount at may be taken, in
 * the file's order.
 *
 * @param triggers index of a stage → what its base left by ONBUILD.
 */
export function exposedStages(plan: Plan, triggers: Triggers): number[] {
  const stages = new Map(plan.stages.map((stage) => [stage.index, stage]));
  const exposed = new Set<number>();
  for (const { index: user, steps } of plan.stages) {
    for (const step of [...triggers.get(user) ?? [], ...steps]) {
      for (const index of takenFrom(step, plan)) {
        const below = ancestry(stages.get(index)!, stages);
        const runs = below.some(({ index: at, steps }) =>
          [...triggers.get(at) ?? [], ...steps].some(isRun)
        );
        // Another platform's image cannot be handed over, nor one whose triggers would run.
        const isFixed = below.some(({ platform, steps }) =>
          platform !== undefined || steps.some(({ instruction: it }) => it.keyword === "ONBUILD")
        );
        if (runs && !isFixed) exposed.add(index);
      }
    }
  }
  return [...exposed].sort((a, b) => a - b);
}

/** The part of a plan that one stage needs; a stage that is replaced needs nothing. */
export function partOf(
  plan: Plan,
  target: number,
  replaced: ReadonlyMap<number, string>,
  triggers: Triggers,
): Plan {
  const stages = new Map(plan.stages.map((stage) => [stage.index, stage]));
  const part = new Map<number, PlannedStage>();
  const visit = (index: number): void => {
    if (part.has(index)) return;
    const planned = stages.get(index)!;
    const stage = replaced.has(index) ? { ...planned, steps: [] } : planned;
    part.set(index, stage);
    if (replaced.has(index)) return;
    const steps = [...triggers.get(index) ?? [], ...stage.steps];
    for (const origin of originsOf({ ...stage, steps })) {
      if (origin.kind === "stage") visit(origin.index);
    }
  };
  visit(target);
  return { ...plan, stages: [...part.values()].sort((a, b) => a.index - b.index) };
}

/** A stage, and the stages that it stands on. */
export function ancestry(
  stage: PlannedStage,
  stages: ReadonlyMap<number, PlannedStage>,
): PlannedStage[] {
  const { origin } = stage;
  if (origin.kind !== "stage") return [stage];
  return [stage, ...ancestry(stages.get(origin.index)!, stages)];
}

function isRun({ instruction }: Step): boolean {
  return instruction.keyword === "RUN";
}

/** The stages out of which an instruction takes a place to mount at. */
function takenFrom({ instruction, from, mounts }: Step, plan: Plan): number[] {
  const { source } = plan.script;
  const covers = (word: string) =>
    word.includes("$") || coversPlace(sourcePattern(word, instruction, source));
  const taken = mounts.filter((mount) => covers(mount.source)).map(({ origin }) => origin);
  if (from !== undefined && pathArguments(instruction).some(covers)) taken.push(from);
  return taken.flatMap((origin) => origin?.kind === "stage" ? [origin.index] : []);
}

/** Says whether a pattern's match is such a place, or is around or inside one. */
function coversPlace(pattern: string): boolean {
  if (pattern === "") return true;
  const names = pattern.split("/");
  if (names.includes("**")) return true;
  const tests = names.map((name) =>
    hasWildcard(name) ? goMatcher(name) : (other: string) => other === unescapePattern(name)
  );
  return PLACES.some((place) => {
    const parts = place.split("/");
    return tests.every((test, at) => parts[at] === undefined || test(parts[at]));
  });
}
