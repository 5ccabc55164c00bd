/** A build by an engine, from the plan to what is recorded. */

import type { ImageSource } from "../../../lib/model/image.ts";
import type { BuildContext, BuildRequest } from "../../../lib/model/plugin.ts";
import { contextTree } from "../native/context.ts";
import { missingIn } from "../plan/folders.ts";
import { mountTargets } from "../plan/mounts.ts";
import type { Options } from "../plan/options.ts";
import { nameOf, type Plan } from "../plan/stages.ts";
import type { NamedSource, Survey } from "../plan/survey.ts";
import { faultAt } from "../syntax/place.ts";
import { buildArgs } from "./build_args.ts";
import { chooseEngine } from "./choose.ts";
import { demandsOf, type LateDemands } from "./demands.ts";
import type { Engine, EngineJob, Secret } from "./engine.ts";
import { exposedStages, partOf } from "./exposed_stages.ts";
import { buildFault } from "./failure.ts";
import { type HandedScript, handedScript } from "./handed_script.ts";
import { lateDemands } from "./late_demands.ts";
import { normalise } from "./normalise.ts";
import { OutputWatcher } from "./output.ts";
import { baseImage, handOutside, type Outside } from "./outside.ts";
import { prepareContext } from "./prepare.ts";
import { replayAll } from "./replayed.ts";
import type { EngineImage } from "./result.ts";
import { readSecrets, redactor } from "./secrets.ts";
import { stageImage } from "./stage_image.ts";
import { type StepDigests, stepDigests } from "./step_digests.ts";
import { Tooling } from "./tooling.ts";

/** A Dockerfile, read and planned. */
export interface Reading {
  /** The Dockerfile's text. */
  readonly text: string;
  readonly options: Options;
  readonly plan: Plan;
  readonly result: Survey;
}

/**
 * The first engine that works and knows what the Dockerfile demands.
 *
 * @throws {Fault} `unavailable` where there is none.
 */
export async function engineFor(
  context: BuildContext,
  { plan, options, result }: Reading,
  late: LateDemands = { archives: [], triggers: [] },
): Promise<Engine> {
  return await chooseEngine(
    options,
    plan.script,
    demandsOf(plan, options, result.fetchedAdds, late),
    new Tooling(context, (line) => line),
  );
}

/** Builds with the first engine that works and knows what the Dockerfile demands. */
export async function buildWithEngine(
  request: BuildRequest,
  reading: Reading,
): Promise<ImageSource> {
  const { context } = request;
  const { options, plan, result } = reading;
  checkSources(result.sources, request, plan);
  const secrets = readSecrets(options.secrets, context.root);
  const tooling = new Tooling(context, redactor(secrets));
  // Bases are only asked for where an engine works.
  await engineFor(context, reading);
  const engine = await engineFor(context, reading, await lateDemands(plan, result, context));
  const outside = await handOutside(plan, result.fetchedAdds, engine, tooling);
  return await new EngineBuild(request, reading, secrets, tooling, engine, outside).run();
}

/** What is not there is told before anything is started, in the same words for all engines. */
function checkSources(sources: readonly NamedSource[], request: BuildRequest, plan: Plan): void {
  const { root, tree } = request.context;
  for (const { instruction, word, folder, pattern } of sources) {
    if (contextTree(root, folder, tree).resolve(`/${pattern}`).node !== undefined) continue;
    const { fromName, missing } = missingIn(folder);
    throw faultAt(plan.script.source, instruction, `${word} is not in ${fromName}`, {
      word,
      next: missing,
    });
  }
}

/** One image, built in as many parts as it needs. */
class EngineBuild {
  /** Index of a stage → name of the image that takes its place. */
  readonly #replaced = new Map<number, string>();
  readonly #contexts: string[];

  constructor(
    readonly request: BuildRequest,
    readonly reading: Reading,
    readonly secrets: readonly Secret[],
    readonly tooling: Tooling,
    readonly engine: Engine,
    readonly outside: Outside,
  ) {
    this.#contexts = [...outside.args];
  }

  async run(): Promise<ImageSource> {
    const { request, reading: { options, plan, result }, engine, outside } = this;
    const { context } = request;
    const digests = engine.weakCache
      ? await stepDigests(plan, options, result, context)
      : new Map();
    const replayed = await replayAll(plan, options, outside.copies, context);
    const folder = await prepareContext(plan.context, context);
    const target = plan.stages.at(-1)!.index;
    const targets = plan.stages.flatMap(({ steps }) =>
      steps.flatMap(({ instruction }) => mountTargets(instruction))
    );
    for (const index of exposedStages(plan, outside.triggers)) {
      if (index === target) continue;
      const made = await this.#build(index, folder, digests);
      const name = `the stage ${nameOf(plan.script.stages[index]!)} of ${context.name}`;
      const base = await baseImage(index, plan, context);
      const image = await stageImage(name, made, base, request, targets, replayed.get(index)!);
      const handed = await engine.handOver(image, this.tooling);
      this.#replaced.set(index, handed.name);
      this.#contexts.push(...handed.args);
    }
    const made = await this.#build(target, folder, digests);
    const base = await baseImage(target, plan, context);
    return await normalise(made, base, request, targets, replayed.get(target)!);
  }

  /** Builds one stage. */
  async #build(index: number, folder: string, digests: StepDigests): Promise<EngineImage> {
    const { text, plan } = this.reading;
    const part = partOf(plan, index, this.#replaced, this.outside.triggers);
    const additions = { digests, replaced: this.#replaced, copies: this.outside.copies };
    const handed = handedScript(text, part, this.outside.nameOf, additions);
    return await this.engine.build(await this.#job(part, handed, folder), this.tooling);
  }

  async #job(part: Plan, handed: HandedScript, folder: string): Promise<EngineJob> {
    const { reading: { options, plan }, engine, outside, secrets, tooling } = this;
    const { context } = tooling;
    const { dockerfile, ignoreFile } = await this.#write(handed);
    // What a base left by ONBUILD runs before anything that could be told to a weak cache.
    const noCache = context.overrides.noCache === true ||
      (engine.weakCache && outside.triggers.size > 0);
    const target = part.stages.at(-1)!.stage.name;
    const stages = handed.stages.map((steps) => steps.length + 1);
    return {
      dockerfile,
      ignoreFile,
      context: folder,
      platform: context.platform,
      ...(options.target === undefined || target === undefined ? {} : { target }),
      buildArgs: buildArgs(plan, options, context.created),
      contexts: this.#contexts,
      secrets,
      ssh: options.ssh,
      ...(options.network === undefined ? {} : { network: options.network }),
      cacheFrom: noCache ? [] : options.cacheFrom,
      // A later part would overwrite what an earlier one wrote.
      cacheTo: noCache || part.stages.at(-1)!.index !== plan.stages.at(-1)!.index
        ? []
        : options.cacheTo,
      noCache,
      out: await tooling.newPath("result"),
      run: async (command, env) => {
        const watcher = new OutputWatcher(context.progress, stages);
        const code = await tooling.run(command, watcher, env);
        if (code !== 0) {
          throw buildFault(engine.name, code, watcher, part, handed, context.logFile);
        }
      },
    };
  }

  async #write({ text }: HandedScript): Promise<{ dockerfile: string; ignoreFile: string }> {
    const folder = await this.tooling.newPath("dockerfile");
    await Deno.mkdir(folder);
    const dockerfile = `${folder}/Dockerfile`;
    await Deno.writeTextFile(dockerfile, text);
    // BuildKit looks for ignore rules beside the Dockerfile first.
    const ignoreFile = `${dockerfile}.dockerignore`;
    await Deno.writeTextFile(ignoreFile, "");
    return { dockerfile, ignoreFile };
  }
}
