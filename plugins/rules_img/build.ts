/** The implementation of `rulesImg({ … })`. */

import { unavailableFault } from "../../lib/model/errors.ts";
import type { Json } from "../../lib/model/json.ts";
import type { Plugin } from "../../lib/model/plugin.ts";
import { PLUGIN } from "./recipe.ts";

/** Builds images with Bazel. */
export const plugin: Plugin = {
  ...PLUGIN,
  describe: (image) => ({
    options: image.options as Json,
    inputs: [],
    tools: [{ anyOf: ["bazelisk", "bazel"], next: "install bazelisk" }],
  }),
  build: ({ image }) => {
    throw unavailableFault("Bazel images are not built yet", { where: image.name });
  },
};
