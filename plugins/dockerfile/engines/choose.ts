/** Which engine builds: the first that works here and can do what the Dockerfile demands. */

import { type Fault, unavailableFault } from "../../../lib/model/errors.ts";
import { which } from "../../../lib/process/which.ts";
import type { Options } from "../plan/options.ts";
import { buildah, podman } from "./containers.ts";
import { type Demand } from "./demands.ts";
import { buildx, classic } from "./docker.ts";
import type { Engine, Probe } from "./engine.ts";
import type { Tooling } from "./tooling.ts";

/** In the order of preference. */
const ENGINES: readonly Engine[] = [buildx, podman, buildah, classic];

/**
 * Chooses an engine.
 *
 * @throws {Fault} `unavailable`, with why each of them does not do.
 */
export async function chooseEngine(
  options: Options,
  demands: readonly Demand[],
  tooling: Tooling,
): Promise<Engine> {
  const reasons: string[] = [];
  for (const engine of candidates(options, tooling)) {
    const probe = await probed(engine, tooling);
    if (!probe.works) {
      reasons.push(`${engine.name}: ${probe.why}`);
      continue;
    }
    const lacking = engine.lacks(demands, probe.version);
    if (lacking === undefined) return engine;
    const version = probe.version === undefined ? "" : ` ${probe.version}`;
    reasons.push(`${engine.name}${version} does not know ${lacking.what}`);
  }
  throw noEngine(reasons, options);
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

function noEngine(reasons: readonly string[], { engine }: Options): Fault {
  const [only] = reasons;
  const message = engine !== "auto" && reasons.length === 1 && only !== undefined
    ? `It cannot be built with ${only}`
    : `No engine can build it here: ${reasons.join("; ")}`;
  return unavailableFault(message, {
    next: engine === "auto"
      ? "start docker, or install podman or buildah"
      : `see that ${engine} works here, or choose another engine`,
  });
}
