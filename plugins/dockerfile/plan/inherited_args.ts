/** The arguments that reach what a base left by ONBUILD: those that are in the key. */

import type { Json } from "../../../lib/model/json.ts";
import { faultAt } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import type { Options } from "./options.ts";
import type { BuildArgs } from "./scope.ts";
import type { Plan, PlannedStage } from "./stages.ts";

/** Says whether a stage begins with an image that may have left instructions by ONBUILD. */
export function standsOnImage({ origin }: PlannedStage): boolean {
  return origin.kind === "image" || origin.kind === "base" || origin.kind === "layout";
}

/** Names of the arguments that the Dockerfile's global part and its reachable stages declare. */
export function declaredNames({ script, stages }: Plan): Set<string> {
  return new Set([
    ...namesOf(script.globals),
    ...namesOf(stages.flatMap((stage) => stage.steps.map((step) => step.instruction))),
  ]);
}

/**
 * What an ARG of a base's ONBUILD may take. Which ones there are shows only once the base is read,
 * and the key is made before that: so these are all that the recipe or the Dockerfile name.
 */
export function inheritedArgs(plan: Plan, options: Options): BuildArgs {
  const names = new Set([...declaredNames(plan), ...options.ownArgs, ...options.hostArgs]);
  const globals = new Set(namesOf(plan.script.globals));
  return {
    given: new Map([...plan.args.given].filter(([name]) => names.has(name))),
    globals: new Map(
      [...plan.args.globals].filter(([name]) => globals.has(name) || name.startsWith("TARGET")),
    ),
  };
}

/** {@link inheritedArgs} for the key; undefined where nothing can reach an ONBUILD. */
export function inheritedInKey(plan: Plan, options: Options): Json | undefined {
  if (!plan.stages.some(standsOnImage)) return undefined;
  const { given, globals } = inheritedArgs(plan, options);
  const { hostArgs } = options;
  const hidden = (text: string) => [...hostArgs].some((name) => text.includes(name));
  const values: Record<string, Json> = {};
  for (const word of plan.script.globals.flatMap(({ args }) => args)) {
    const name = nameOf(word);
    // The values of host variables are in the key as digests, and nowhere else.
    values[name] = hidden(word) ? { written: word } : globals.get(name) ?? null;
  }
  for (const [name, value] of given) if (!hostArgs.has(name)) values[name] = value;
  return Object.keys(values).length === 0 ? undefined : values;
}

/**
 * Refuses an instruction of a base's ONBUILD that takes what is not in the key.
 *
 * @throws {Fault} with the line that brought it.
 */
export function refuseOutsideArgs(
  instruction: Instruction,
  { args: { given, globals }, script: { source } }: Plan,
  inherited: BuildArgs,
): void {
  if (instruction.keyword !== "ARG") return;
  for (const word of instruction.args) {
    const name = nameOf(word);
    const isOutside = given.has(name)
      ? !inherited.given.has(name)
      : name === word && globals.has(name) && !inherited.globals.has(name);
    if (!isOutside) continue;
    throw faultAt(
      source,
      instruction,
      `The base's ONBUILD takes ${name}, which is not in the key`,
      {
        next: `write "ARG ${name}" in front of the first FROM`,
      },
    );
  }
}

function namesOf(instructions: readonly { keyword: string; args: readonly string[] }[]): string[] {
  return instructions.filter(({ keyword }) => keyword === "ARG").flatMap(({ args }) =>
    args.map(nameOf)
  );
}

function nameOf(word: string): string {
  return word.split("=", 1)[0]!;
}
