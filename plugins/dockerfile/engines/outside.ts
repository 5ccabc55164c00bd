/** What a Dockerfile names outside itself, and how an engine gets at it. */

import { Fault } from "../../../lib/model/errors.ts";
import type { LocalImage } from "../../../lib/model/image.ts";
import { formatReference, parseReference } from "../../../lib/model/reference.ts";
import { commitOf } from "../../../lib/model/source.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { faultAt } from "../syntax/place.ts";
import { checkBase } from "../plan/platform.ts";
import {
  type Origin,
  originKey,
  originsOf,
  type Plan,
  type PlannedStage,
  type Step,
} from "../plan/stages.ts";
import type { FetchedAdd } from "../plan/survey.ts";
import { layoutImage } from "../native/layout_image.ts";
import { RemoteTrees } from "../native/remote_tree.ts";
import type { Instruction } from "../syntax/script.ts";
import { carryOut } from "./carried_out.ts";
import type { Engine } from "./engine.ts";
import { ancestry } from "./exposed_stages.ts";
import { handFetched } from "./fetched.ts";
import type { HandedCopy } from "./handed_script.ts";
import { LateSources } from "./late_sources.ts";
import type { ResultBase } from "./normalise.ts";
import { prepareContext, prepareTree } from "./prepare.ts";
import type { Tooling } from "./tooling.ts";

/** Everything outside a Dockerfile, made known to an engine. */
export interface Outside {
  /** What the engine calls it. */
  readonly nameOf: (origin: Origin) => string;
  /** Arguments of the build that make names known. */
  readonly args: readonly string[];
  /** What stands in the place of instructions whose files are handed over. */
  readonly copies: ReadonlyMap<Instruction, HandedCopy>;
  /** Index of a stage → what its base, or the stage it stands on, left by ONBUILD. */
  readonly triggers: ReadonlyMap<number, readonly Step[]>;
}

/**
 * Checks all bases and hands over what the engine cannot get by itself: images of the graph, and
 * folders. Bases it pulls by the digest that is in the key.
 *
 * @throws {Fault} for a base of another platform.
 */
export async function handOutside(
  plan: Plan,
  adds: readonly FetchedAdd[],
  engine: Engine,
  tooling: Tooling,
): Promise<Outside> {
  const remotes = new RemoteTrees(tooling.context);
  const names = new Map<string, string>();
  const args: string[] = [];
  for (const origin of plan.stages.flatMap(originsOf)) {
    const key = originKey(origin);
    if (names.has(key)) continue;
    if (origin.kind === "base") names.set(key, pinned(origin.reference, tooling.context));
    if (origin.kind === "image") {
      const image = await tooling.context.need(origin.name);
      await tooling.context.fetch(image);
      const handed = await engine.handOver(image, tooling);
      names.set(key, handed.name);
      args.push(...handed.args);
    }
    if (origin.kind === "layout") {
      const image = await layoutImage(origin.folder, origin.digest, tooling.context);
      const handed = await engine.handOver(image, tooling);
      names.set(key, handed.name);
      args.push(...handed.args);
    }
    if (origin.kind === "git") {
      const name = `images-context-${names.size}`;
      const { tree: { root } } = await remotes.open(origin.remote);
      const { fixed, name: source } = origin.remote.source;
      const commit = commitOf(fixed ?? tooling.context.sources[source]!);
      const path = await prepareTree(root, commit.slice(0, 32), tooling.context);
      names.set(key, name);
      args.push("--build-context", `${name}=${path}`);
    }
    if (origin.kind === "folder") {
      const name = `images-context-${names.size}`;
      names.set(key, name);
      args.push(
        "--build-context",
        `${name}=${await prepareContext(origin.folder, tooling.context)}`,
      );
    }
  }
  const triggers = new Map<number, readonly Step[]>();
  const late = new LateSources(
    plan,
    new Set(adds.map(({ instruction }) => instruction)),
  );
  for (const stage of plan.stages) {
    const base = await baseOf(stage, tooling.context);
    if (base !== undefined) checkBase(base, stage, plan);
    const left = base === undefined
      ? stage.steps.filter(({ instruction }) => !stage.stage.instructions.includes(instruction))
      : plan.triggers(base.config.config?.OnBuild ?? [], stage);
    late.check(stage, base, base === undefined ? [] : left);
    if (base !== undefined) checkTriggers(left, engine, plan);
    if (left.length > 0) triggers.set(stage.index, left);
  }
  const fetched = await handFetched(adds, remotes, tooling, plan.script.source);
  const carriedOut = await carryOut(plan, tooling.context);
  args.push(...fetched.args, ...carriedOut.args);
  return {
    triggers,
    copies: new Map([...fetched.copies, ...carriedOut.copies]),
    nameOf: (origin) => names.get(originKey(origin))!,
    args,
  };
}

/** A tag beside the digest would only be looked up once more. */
function pinned(reference: string, { bases }: BuildContext): string {
  const { host, repository } = parseReference(reference);
  const digest = bases[reference];
  if (digest === undefined) throw new Fault(`The digest of ${reference} is not known`);
  return formatReference({ host, repository, digest });
}

/** What a base left is carried out by the engine, with the names that stand there. */
function checkTriggers(steps: readonly Step[], engine: Engine, plan: Plan): void {
  for (const { instruction, from, mounts } of steps) {
    const written = [instruction.options["from"]?.[0], ...mounts.map((mount) => mount.from)];
    for (const [at, origin] of [from, ...mounts.map((mount) => mount.origin)].entries()) {
      if (origin === undefined || origin.kind === "scratch") continue;
      if (origin.kind === "stage" && !/^\d+$/.test(written[at]!)) continue;
      throw faultAt(
        plan.script.source,
        instruction,
        `${engine.name} cannot carry out the base's ONBUILD, which takes from "${written[at]}"`,
        {
          next: "write what ONBUILD does into the Dockerfile, and take a base without it",
        },
      );
    }
  }
}

/** The image that a stage begins with; undefined for none. */
export async function baseOf(
  { origin, platform }: PlannedStage,
  context: BuildContext,
): Promise<LocalImage | undefined> {
  if (origin.kind === "image") return await context.need(origin.name);
  if (origin.kind === "layout") return await layoutImage(origin.folder, origin.digest, context);
  return origin.kind === "base" ? await context.base(origin.reference, platform) : undefined;
}

/** The image that a stage stands on at last; undefined for none. */
export async function baseImage(
  index: number,
  plan: Plan,
  context: BuildContext,
): Promise<ResultBase | undefined> {
  const stages = new Map(plan.stages.map((stage) => [stage.index, stage]));
  const lowest = ancestry(stages.get(index)!, stages).at(-1)!;
  const image = await baseOf(lowest, context);
  return image && { image, passedOn: lowest.origin.kind !== "base" };
}
