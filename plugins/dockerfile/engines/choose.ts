/** Which engine builds: the first that works here and can do what the Dockerfile demands. */

import { type Fault, unavailableFault } from "../../../lib/model/errors.ts";
import { which } from "../../../lib/process/which.ts";
import type { Options } from "../plan/options.ts";
import { buildah, podman } from "./containers.ts";
import { type Demand } from "./demands.ts";
import { buildx, classic } from "./docker.ts";
import type { Engine, Probe } from "./engine.ts";
import type { Lack } from "./features.ts";
import type { Tooling } from "./tooling.ts";
import { faultAt, type Source } from "../syntax/place.ts";
import type { Script } from "../syntax/script.ts";

/** In the order of preference. */
const ENGINES: readonly Engine[] = [buildx, podman, buildah, classic];

/**
 * Chooses an engine.
 *
 * @throws {Fault} `unavailable`, with why each of them does not do.
 */
export async function chooseEngine(
  options: Options,
  { source, syntax }: Pick<Script, "source" | "syntax">,
  demands: readonly Demand[],
  tooling: Tooling,
): Promise<Engine> {
  const refusals: Refusal[] = [];
  for (const engine of candidates(options, tooling)) {
    const probe = await probed(engine, tooling);
    if (!probe.works) {
      refusals.push({ why: `${engine.name}: ${probe.why}` });
      continue;
    }
    const version = probe.version ??
      (demands.length === 0 ? undefined : await engine.version?.(tooling));
    const frontend = options.args.get("BUILDKIT_SYNTAX") ?? syntax;
    const lack = engine.lacks(demands, version, frontend);
    if (lack === undefined) return engine;
    const named = version === undefined ? engine.name : `${engine.name} ${version}`;
    refusals.push({ why: `${named} does not know ${lack.demand.what}`, lack });
  }
  throw noEngine(refusals, options, source);
}

/** Why an engine does not do. */
interface Refusal {
  readonly why: string;
  /** What it does not know, where it works. */
  readonly lack?: Lack;
}

function candidates({ engine }: Options, { context }: Tooling): readonly Engine[] {
  const named = ENGINES.filter(({ program }) => engine === "auto" || program === engine);
  // A builder is one of buildx: building elsewhere would not be what was asked for.
  return context.overrides.builder === undefined ? named : named.filter((each) => each === buildx);
}

async function probed(engine: Engine, tooling: Tooling): Promise<Probe> {
  if (which(engine.program) === undefined) return { works: false, why: "it is not installed" };
  const question = engine.question(tooling.context.overrides.builder);
  return engine.verdict(await tooling.askOnce(question));
}

function noEngine(refusals: readonly Refusal[], { engine }: Options, source: Source): Fault {
  const reasons = refusals.map(({ why }) => why);
  const [only] = reasons;
  const message = engine !== "auto" && reasons.length === 1 && only !== undefined
    ? `It cannot be built with ${only}`
    : `No engine can build it here: ${reasons.join("; ")}`;
  const lacks = refusals.flatMap(({ lack }) => lack ?? []);
  const remedies = [...new Set(lacks.flatMap(({ remedy }) => remedy ?? []))];
  const other = engine === "auto"
    ? lacks.length === 0
      ? "start docker, or install podman or buildah"
      : "start another engine that knows it, or write it in another way"
    : lacks.length === 0
    ? `see that ${engine} works here, or choose another engine`
    : "choose another engine";
  const next = [...remedies, other].join(", or ");
  const instruction = lacks.find(({ demand }) => demand.instruction !== undefined)?.demand
    .instruction;
  if (instruction === undefined) return unavailableFault(message, { next });
  return faultAt(source, instruction, message, { kind: "unavailable", next });
}
