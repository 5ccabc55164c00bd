/** The implementation of `dockerfile({ … })`. */

import { Fault } from "../../lib/model/errors.ts";
import type { ImageSource } from "../../lib/model/image.ts";
import type { Json } from "../../lib/model/json.ts";
import type {
  BuildRequest,
  DescribeContext,
  Description,
  Plugin,
  ToolNeed,
} from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import type { Reading } from "./engines/run.ts";
import { assemble, SourceFault } from "./native/assemble.ts";
import { type Folder, Folders, ignoreFilesOf } from "./plan/folders.ts";
import { hiddenHistory } from "./plan/hidden_history.ts";
import { joinPath, type Options, readOptions } from "./plan/options.ts";
import { planStages } from "./plan/stages.ts";
import { type Survey, survey } from "./plan/survey.ts";
import { unusedArgs } from "./plan/unused_args.ts";
import { PLUGIN } from "./recipe.ts";
import { faultAt } from "./syntax/place.ts";
import { parseScript } from "./syntax/script.ts";

/** Builds images from Dockerfiles. */
export const plugin: Plugin = {
  ...PLUGIN,
  describe,
  preflight,
  build,
};

/** Engines that can carry out what is not assembled here, the preferred one first. */
const ENGINES = ["docker", "podman", "buildah"];

function describe(image: Image, context: DescribeContext): Description {
  const reads = new Set<string>();
  const { options, plan, result, notices } = read(image, context, reads);
  const selected = result.folders.map((use) => use.selections(context.root));
  const tools = toolNeeds(options, result);
  return {
    options: { ...result.normal, ...rulesInKey(result, image.common.inputs.length > 0) },
    inputs: selected.flatMap(({ inputs }) => inputs),
    images: result.images,
    bases: result.bases,
    ...(plan.mentions.size === 0 ? {} : { mentions: Object.fromEntries(plan.mentions) }),
    ...(notices.length === 0 ? {} : { notices }),
    ...(result.remotes.length === 0 ? {} : { sources: result.remotes }),
    ...(tools.length === 0 ? {} : { tools }),
    ignoreFiles: Object.fromEntries(
      result.folders.map(({ folder: { path, ignoreFile } }) => [
        path,
        ignoreFile ?? joinPath(path, ".dockerignore"),
      ]),
    ),
    reads: [...[...reads].sort(), ...selected.flatMap(({ looks }) => looks)],
  };
}

/**
 * The ignore rules, where the input tree does not show what they hide: files that a folder's rules
 * leave out may be in it for the recipe's own inputs, or for a folder around or inside that one.
 */
function rulesInKey({ folders }: Survey, hasInputs: boolean): { readonly rules?: Json } {
  const isShared = (at: Folder) =>
    hasInputs || folders.some(({ folder: other }) =>
      other !== at &&
      (at.prefix.startsWith(other.prefix) || other.prefix.startsWith(at.prefix))
    );
  const shared = folders.map(({ folder }) => folder).filter((folder) =>
    folder.ignore.length > 0 && isShared(folder)
  );
  if (shared.length === 0) return {};
  return { rules: Object.fromEntries(shared.map(({ path, ignore }) => [path, ignore])) };
}

/** Engines are asked whether they work; what they cannot do only shows where bases are read. */
async function preflight({ image, context }: BuildRequest): Promise<void> {
  const reading = read(image, context, new Set());
  if (!usesEngine(reading.options, reading.result)) return;
  const { engineFor } = await import("./engines/run.ts");
  await engineFor(context, reading);
}

async function build(request: BuildRequest): Promise<ImageSource> {
  for (const path of request.context.tree.special ?? []) {
    request.context.notice(`${path} is a pipe, socket or device, and is left out of the image`);
  }
  const reading = read(request.image, request.context, new Set());
  const { options, plan, result } = reading;
  if (usesEngine(options, result)) return await withEngine(request, reading);
  const [need] = result.engineNeeds;
  if (need !== undefined) {
    throw faultAt(plan.script.source, need.instruction, `${need.what} needs an engine`, {
      kind: "unavailable",
      next: 'set engine to "auto", and install docker with buildx, podman or buildah',
    });
  }
  try {
    return await assemble(request, plan, options);
  } catch (error) {
    // What only shows once bases are read: an engine may do it.
    const isBeyond = error instanceof Fault && error.kind === "unavailable" &&
      !(error instanceof SourceFault);
    if (!isBeyond || options.engine === "native") throw error;
    return await withEngine(request, reading);
  }
}

function usesEngine({ engine }: Options, { engineNeeds }: Survey): boolean {
  return engine === "auto" ? engineNeeds.length > 0 : engine !== "native";
}

async function withEngine(request: BuildRequest, reading: Reading): Promise<ImageSource> {
  const { buildWithEngine } = await import("./engines/run.ts");
  return await buildWithEngine(request, reading);
}

function read(
  image: Image,
  context: DescribeContext,
  reads: Set<string>,
): Reading & { readonly notices: readonly string[] } {
  const wanted = readOptions(image, context);
  const folders = new Folders(context.root, reads);
  const { file, text } = readDockerfile(image, context.root, wanted, folders);
  const options = { ...wanted, file };
  const main = folders.open(options.context, "build context", [
    `${file}.dockerignore`,
    `${file}.containerignore`,
    ...ignoreFilesOf(options.context),
  ]);
  const script = parseScript(text, file);
  const plan = planStages(script, options, context.platform, main, folders);
  const result = survey(plan, options);
  const notices = [
    ...unusedArgs(script, options),
    ...unusedIgnoreFiles(main, folders),
    ...hiddenHistory(result, image.common.inputs, script.source, context.root),
  ];
  return { text, options, plan, result, notices };
}

/** Reads the first Dockerfile that is there. */
function readDockerfile(image: Image, root: string, { file, files }: Options, folders: Folders) {
  for (const each of files) {
    const text = folders.read(each);
    if (text !== undefined) return { file: each, text };
  }
  const others = dockerfilesBeside(root, file);
  throw new Fault(`There is no Dockerfile at ${file}`, {
    where: image.name,
    ...(image.place === undefined ? {} : { place: image.place }),
    next: others.length === 0
      ? "create it, or name another by `file`, relative to images.ts"
      : `name the one that is meant by \`file\`, relative to images.ts: ${others.join(", ")}`,
  });
}

/** What is called like a Dockerfile where one was looked for. */
function dockerfilesBeside(root: string, file: string): string[] {
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  try {
    return [...Deno.readDirSync(`${root}/${folder}`)]
      .filter(({ name }) => /docker-?file|container-?file/i.test(name) && !/ignore$/.test(name))
      .map(({ name }) => folder + name).sort();
  } catch {
    return [];
  }
}

/** Docker reads one ignore file, podman another; where there are both, which one counts is said. */
function unusedIgnoreFiles({ path, ignoreFile }: Folder, folders: Folders): string[] {
  const [used, ...others] = ignoreFilesOf(path);
  if (ignoreFile !== used) return [];
  return others.filter((file) => folders.read(file) !== undefined)
    .map((file) => `${file} is not used: ${used} is there too`);
}

function toolNeeds(options: Options, result: Survey): ToolNeed[] {
  if (!usesEngine(options, result)) return [];
  const anyOf = options.engine === "auto" ? ENGINES : [options.engine];
  return [{ anyOf, next: `install ${anyOf.join(", ").replace(/, (?=[^,]*$)/, " or ")}` }];
}
