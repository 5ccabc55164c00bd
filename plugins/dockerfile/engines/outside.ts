/** What a Dockerfile names outside itself, and how an engine gets at it. */

import { Fault } from "../../../lib/model/errors.ts";
import type { LocalImage } from "../../../lib/model/image.ts";
import { formatReference, parseReference } from "../../../lib/model/reference.ts";
import { commitOf } from "../../../lib/model/source.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import type { Folder } from "../plan/folders.ts";
import { checkBase } from "../plan/platform.ts";
import type { Origin, Plan, PlannedStage } from "../plan/stages.ts";
import type { FetchedAdd } from "../plan/survey.ts";
import { layoutImage } from "../native/layout_image.ts";
import { RemoteTrees } from "../native/remote_tree.ts";
import type { Engine } from "./engine.ts";
import { ancestry } from "./exposed_stages.ts";
import { type Fetched, handFetched } from "./fetched.ts";
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
  /** What stands in the place of ADD instructions that fetch something. */
  readonly copies: Fetched["copies"];
  /** Indexes of stages whose base, or the stage they stand on, left instructions by ONBUILD. */
  readonly triggered: ReadonlySet<number>;
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
  for (const origin of originsOf(plan)) {
    const key = keyOf(origin);
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
  const triggered = new Set<number>();
  const late = new LateSources(
    plan,
    tooling.context.bases,
    new Set(adds.map(({ instruction }) => instruction)),
  );
  for (const stage of plan.stages) {
    const base = await baseOf(stage, tooling.context);
    if (base !== undefined) checkBase(base, stage, plan);
    late.check(stage, base);
    const own = stage.steps.some(({ instruction }) =>
      !stage.stage.instructions.includes(instruction)
    );
    if (own || (base?.config.config?.OnBuild ?? []).length > 0) triggered.add(stage.index);
  }
  const fetched = await handFetched(adds, remotes, tooling, plan.script.source);
  args.push(...fetched.args);
  return {
    triggered,
    copies: fetched.copies,
    nameOf: (origin) => names.get(keyOf(origin))!,
    args,
  };
}

function originsOf(plan: Plan): Origin[] {
  return plan.stages.flatMap(({ origin, steps }) => [
    origin,
    ...steps.flatMap(({ from, mounts }) => [from, ...mounts.map((mount) => mount.origin)]),
  ]).filter((origin) => origin !== undefined);
}

function keyOf(origin: Origin): string {
  switch (origin.kind) {
    case "base":
      return `base ${origin.reference}`;
    case "image":
      return `image ${origin.name}`;
    case "folder":
      return `folder ${(origin.folder satisfies Folder).path}`;
    case "layout":
      return `layout ${origin.folder}@${origin.digest}`;
    case "git":
      return `git ${origin.remote.source.name}:${origin.remote.subdir}`;
    default:
      return origin.kind;
  }
}

/** A tag beside the digest would only be looked up once more. */
function pinned(reference: string, { bases }: BuildContext): string {
  const { host, repository } = parseReference(reference);
  const digest = bases[reference];
  if (digest === undefined) throw new Fault(`The digest of ${reference} is not known`);
  return formatReference({ host, repository, digest });
}

async function baseOf(
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
