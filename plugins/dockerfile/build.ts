/** The implementation of `dockerfile({ … })`. */

import { Fault } from "../../lib/model/errors.ts";
import type { ImageSource } from "../../lib/model/image.ts";
import type {
  BuildRequest,
  DescribeContext,
  Description,
  Plugin,
  ToolNeed,
} from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import { assemble } from "./native/assemble.ts";
import { Folders } from "./plan/folders.ts";
import { joinPath, type Options, readOptions } from "./plan/options.ts";
import { type Plan, planStages } from "./plan/stages.ts";
import { type Survey, survey } from "./plan/survey.ts";
import { PLUGIN } from "./recipe.ts";
import { faultAt } from "./syntax/place.ts";
import { parseScript } from "./syntax/script.ts";

/** Builds images from Dockerfiles. */
export const plugin: Plugin = {
  ...PLUGIN,
  describe,
  build,
};

/** Engines that can carry out what is not assembled here, the preferred one first. */
const ENGINES = ["docker", "podman", "buildah"];

function describe(image: Image, context: DescribeContext): Description {
  const reads = new Set<string>();
  const { options, result } = read(image, context, reads);
  const inputs = result.folders.flatMap((use) => use.selections(context.root, reads));
  const tools = toolNeeds(options, result);
  return {
    options: result.normal,
    inputs,
    images: result.images,
    bases: result.bases,
    ...(tools.length === 0 ? {} : { tools }),
    reads: [...reads].sort(),
  };
}

async function build(request: BuildRequest): Promise<ImageSource> {
  const { options, plan, result } = read(request.image, request.context, new Set());
  const [need] = result.engineNeeds;
  if (need !== undefined) {
    throw faultAt(plan.script.source, need.instruction, `${need.what} needs an engine`, {
      kind: "unavailable",
      next: "install docker with buildx, podman or buildah",
    });
  }
  return await assemble(request, plan, options);
}

function read(
  image: Image,
  context: DescribeContext,
  reads: Set<string>,
): { options: Options; plan: Plan; result: Survey } {
  const options = readOptions(image, context);
  const folders = new Folders(context.root, reads);
  const text = folders.read(options.file);
  if (text === undefined) {
    throw new Fault(`There is no Dockerfile at ${options.file}`, {
      where: image.name,
      ...(image.place === undefined ? {} : { place: image.place }),
      next: "create it, or name another by `file`, relative to images.ts",
    });
  }
  const main = folders.open(options.context, "build context", [
    `${options.file}.dockerignore`,
    joinPath(options.context, ".dockerignore"),
  ]);
  const script = parseScript(text, options.file);
  const plan = planStages(script, options, context.platform, main, folders);
  return { options, plan, result: survey(plan, options) };
}

function toolNeeds({ engine }: Options, { engineNeeds }: Survey): ToolNeed[] {
  const [need] = engineNeeds;
  if (need === undefined || engine === "native") return [];
  const anyOf = engine === "auto" ? ENGINES : [engine];
  return [{ anyOf, next: `install ${anyOf.join(", ").replace(/, (?=[^,]*$)/, " or ")}` }];
}
