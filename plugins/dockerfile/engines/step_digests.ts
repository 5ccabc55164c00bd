/**
 * Digests of what a stage's steps hang on, for engines whose layer cache knows less than the key:
 * podman and buildah go by an instruction's text (not by the files that RUN sees through a mount,
 * the flags of COPY, the values that ENV takes from ARG, the environment of the base), and docker's
 * classic builder not by the network.
 *
 * @see https://github.com/containers/buildah/issues/5400
 */

import { matcherOf } from "../../../lib/files/match.ts";
import type { Json } from "../../../lib/model/json.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import type { Entry } from "../../../lib/model/selection.ts";
import type { RemoteSource } from "../../../lib/model/source.ts";
import { hashJson } from "../../../lib/oci/hash.ts";
import type { Options } from "../plan/options.ts";
import { FolderUse } from "../plan/select.ts";
import type { Origin, Plan, PlannedStage, Step } from "../plan/stages.ts";
import type { ContextRead, Survey } from "../plan/survey.ts";
import type { Instruction } from "../syntax/script.ts";

/** Instruction → digest of all that the image hangs on, up to the end of its stretch. */
export type StepDigests = ReadonlyMap<Instruction, string>;

/**
 * The digest for the first instruction of each stretch: one that ends with a RUN, or with the stage.
 * What changes within a stretch changes what its RUN begins with, so no more digests are needed.
 */
export async function stepDigests(
  plan: Plan,
  options: Options,
  survey: Survey,
  context: BuildContext,
): Promise<StepDigests> {
  return await new Digester(plan, options, survey, context).run();
}

class Digester {
  readonly #stages = new Map<number, string>();
  readonly #contents = new Map<string, Promise<Json>>();

  constructor(
    readonly plan: Plan,
    readonly options: Options,
    readonly survey: Survey,
    readonly context: BuildContext,
  ) {}

  async run(): Promise<StepDigests> {
    const digests = new Map<Instruction, string>();
    const { stages } = this.survey.normal as { stages: readonly { steps: readonly Json[] }[] };
    for (const [at, planned] of this.plan.stages.entries()) {
      let digest = await this.#begin(planned);
      for (const stretch of stretchesOf(planned, stages[at]!.steps)) {
        const steps = await Promise.all(stretch.map((each) => this.#step(each)));
        digest = await hashJson([digest, steps]);
        const first = stretch.find(({ step }) =>
          planned.stage.instructions.includes(step.instruction)
        );
        if (first !== undefined) digests.set(first.step.instruction, digest);
      }
      this.#stages.set(planned.index, digest);
    }
    return digests;
  }

  /** Times of context files are `created`, which RUN may read. */
  async #begin({ origin, platform }: PlannedStage): Promise<string> {
    const { created } = this.context;
    const { escape } = this.plan.script;
    const { network = null } = this.options;
    return await hashJson([
      await this.#origin(origin),
      { platform: platform ?? this.plan.platform, created, escape, network },
    ]);
  }

  async #step({ step, normal }: { step: Step; normal: Json }): Promise<Json> {
    const { instruction, from, mounts } = step;
    const origins = [from, ...mounts.map(({ origin }) => origin)];
    const reads = this.survey.reads.get(instruction) ?? [];
    return [
      normal,
      await Promise.all(origins.map((origin) => this.#origin(origin))),
      await Promise.all(reads.map((read) => this.#content(read))),
      this.#hostValues(instruction),
      this.#fetched(instruction),
    ];
  }

  /** What an ADD fetches, as the key names it. */
  #fetched(instruction: Instruction): Json {
    const found = this.survey.fetchedAdds.filter((add) => add.instruction === instruction);
    return found.flatMap(({ remotes }) => remotes.map(({ source }) => this.#identity(source)));
  }

  #identity({ name, fixed }: RemoteSource): Json {
    return fixed ?? this.context.sources[name] ?? null;
  }

  /** The normal form leaves the values of host variables to the key. */
  #hostValues({ keyword, args }: Instruction): Json {
    const { hostArgs, args: given } = this.options;
    const names = [...hostArgs].filter((name) => args.some((word) => word.includes(name)));
    if (keyword !== "ARG" || names.length === 0) return null;
    return [...hostArgs].sort().map((name) => [name, given.get(name) ?? null]);
  }

  async #origin(origin: Origin | undefined): Promise<Json> {
    switch (origin?.kind) {
      case "stage":
        return { stage: this.#stages.get(origin.index)! };
      case "image":
        return { image: (await this.context.need(origin.name)).imageId };
      case "base":
        return { base: this.context.bases[origin.reference] ?? origin.reference };
      case "layout":
        return { layout: origin.digest };
      case "git":
        return { git: this.#identity(origin.remote.source), subdir: origin.remote.subdir };
      default:
        // A folder counts by what is read of it.
        return origin?.kind ?? null;
    }
  }

  #content(read: ContextRead): Promise<Json> {
    const name = JSON.stringify([read.folder.path, read.pattern, read.rules]);
    const known = this.#contents.get(name) ?? this.#listing(read);
    this.#contents.set(name, known);
    return known;
  }

  async #listing({ folder, pattern, rules }: ContextRead): Promise<Json> {
    const { root, tree } = this.context;
    const use = new FolderUse(folder);
    use.add(pattern, rules);
    const matchers = await Promise.all(use.selections(root).inputs.map(matcherOf));
    const below = tree.entries.filter(({ path }) => path.startsWith(folder.prefix));
    const taken = below.filter(({ path }) =>
      pathsTo(path.slice(folder.prefix.length)).some((at) =>
        matchers.some((matcher) => matcher.takes(at))
      )
    );
    return await hashJson(taken.map(rowOf));
  }
}

/** A path, and the folders it is in. */
function pathsTo(path: string): string[] {
  const names = path.split("/");
  return names.map((_, at) => names.slice(0, at + 1).join("/"));
}

function rowOf({ path, type, executable, size, digest, target }: Entry): Json {
  return [path, type, executable, size, digest ?? null, target ?? null];
}

function stretchesOf({ steps }: PlannedStage, normal: readonly Json[]) {
  const stretches: { step: Step; normal: Json }[][] = [[]];
  for (const [at, step] of steps.entries()) {
    stretches.at(-1)!.push({ step, normal: normal[at]! });
    if (step.instruction.keyword === "RUN") stretches.push([]);
  }
  return stretches.filter((stretch) => stretch.length > 0);
}
