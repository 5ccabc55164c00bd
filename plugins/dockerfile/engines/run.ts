/** A build by an engine, from the plan to what is recorded. */

import type { ImageSource } from "../../../lib/model/image.ts";
import type { BuildRequest } from "../../../lib/model/plugin.ts";
import { contextTree } from "../native/context.ts";
import { missingIn } from "../plan/folders.ts";
import type { Options } from "../plan/options.ts";
import type { Plan } from "../plan/stages.ts";
import type { NamedSource, Survey } from "../plan/survey.ts";
import { faultAt } from "../syntax/place.ts";
import { buildArgs } from "./build_args.ts";
import { chooseEngine } from "./choose.ts";
import { demandsOf } from "./demands.ts";
import type { Engine, EngineJob, Secret } from "./engine.ts";
import { buildFault } from "./failure.ts";
import { type HandedScript, handedScript } from "./handed_script.ts";
import { normalise } from "./normalise.ts";
import { OutputWatcher } from "./output.ts";
import { handOutside, type Outside } from "./outside.ts";
import { prepareContext } from "./prepare.ts";
import { readSecrets, redactor } from "./secrets.ts";
import { stepDigests } from "./step_digests.ts";
import { Tooling } from "./tooling.ts";

/** A Dockerfile, read and planned. */
export interface Reading {
  /** The Dockerfile's text. */
  readonly text: string;
  readonly options: Options;
  readonly plan: Plan;
  readonly result: Survey;
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
  const engine = await chooseEngine(options, demandsOf(plan, options), tooling);
  const outside = await handOutside(plan, engine, tooling);
  const digests = engine.weakCache ? await stepDigests(plan, options, result, context) : undefined;
  const handed = handedScript(reading.text, plan, outside.nameOf, digests);
  const job = await jobOf(reading, engine, outside, handed, secrets, tooling);
  return await normalise(await engine.build(job, tooling), outside.base, request, options);
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

async function jobOf(
  { options, plan }: Reading,
  engine: Engine,
  outside: Outside,
  handed: HandedScript,
  secrets: readonly Secret[],
  tooling: Tooling,
): Promise<EngineJob> {
  const { context } = tooling;
  const folder = await tooling.newPath("dockerfile");
  await Deno.mkdir(folder);
  const dockerfile = `${folder}/Dockerfile`;
  await Deno.writeTextFile(dockerfile, handed.text);
  // BuildKit looks for ignore rules beside the Dockerfile first.
  const ignoreFile = `${dockerfile}.dockerignore`;
  await Deno.writeTextFile(ignoreFile, "");
  // What a base left by ONBUILD runs before anything that could be told to a weak cache.
  const noCache = context.overrides.noCache === true || (engine.weakCache && outside.hasTriggers);
  const target = plan.stages.at(-1)!.stage.name;
  const stages = handed.stages.map((steps) => steps.length + 1);
  return {
    dockerfile,
    ignoreFile,
    context: await prepareContext(plan.context, context),
    platform: context.platform,
    ...(options.target === undefined || target === undefined ? {} : { target }),
    buildArgs: buildArgs(plan, options, context.created),
    contexts: outside.args,
    secrets,
    ssh: options.ssh,
    ...(options.network === undefined ? {} : { network: options.network }),
    cacheFrom: noCache ? [] : options.cacheFrom,
    cacheTo: noCache ? [] : options.cacheTo,
    noCache,
    out: await tooling.newPath("result"),
    run: async (command, env) => {
      const watcher = new OutputWatcher(context.progress, stages);
      const code = await tooling.run(command, watcher, env);
      if (code !== 0) throw buildFault(engine.name, code, watcher, plan, handed, context.logFile);
    },
  };
}
