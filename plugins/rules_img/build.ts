/** The implementation of `rulesImg({ … })`. */

import { Fault, usageFault } from "../../lib/model/errors.ts";
import type { DescribeContext, Description, Plugin } from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import { PROGRAMS } from "./bazel/workspace.ts";
import { PLUGIN } from "./recipe.ts";
import { keyOptions, recipeOf } from "./flags.ts";

/** Builds images with Bazel. What it takes to ask Bazel is loaded when Bazel must be asked. */
export const plugin: Plugin = {
  ...PLUGIN,
  describe,
  identifyAll: async (requests) => await (await import("./identify.ts")).identifyAll(requests),
  build: async (request) => {
    const { buildAll } = await import("./build_all.ts");
    const [answer] = await buildAll([request]);
    if (answer instanceof Fault) throw answer;
    return answer!;
  },
  publisher: (image) => {
    const { push } = recipeOf({ image });
    if (push === undefined) return undefined;
    return async (request) => await (await import("./publish.ts")).publish(request, push);
  },
  buildAll: async (requests) => await (await import("./build_all.ts")).buildAll(requests),
};

/** What goes in is Bazel's to tell. */
async function describe(image: Image, context: DescribeContext): Promise<Description> {
  const { push } = recipeOf({ image });
  if (push !== undefined && Object.keys(image.common.labels).length > 0) {
    throw usageFault("A push target publishes what Bazel built, without the recipe's labels", {
      where: image.name,
      ...(image.place === undefined ? {} : { place: image.place }),
      next: "set the labels in the BUILD file, or leave out `push`",
    });
  }
  const { sourceKeyParts } = await import("./source_key.ts");
  const sourceKey = push === undefined ? await sourceKeyParts(image, context) : undefined;
  return {
    options: keyOptions(image),
    inputs: [],
    undiscovered: true,
    guard: {},
    tools: [{ anyOf: PROGRAMS, next: "install bazelisk" }],
    ...(sourceKey === undefined ? {} : { sourceKey }),
  };
}
