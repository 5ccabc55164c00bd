/** The implementation of `nix2container({ … })`. */

import { unavailableFault } from "../../lib/model/errors.ts";
import type { Json } from "../../lib/model/json.ts";
import type { Plugin } from "../../lib/model/plugin.ts";
import { PLUGIN } from "./recipe.ts";

/** Builds images from Nix derivations. */
export const plugin: Plugin = {
  ...PLUGIN,
  describe: (image) => ({
    options: image.options as Json,
    inputs: [],
    tools: [{ anyOf: ["nix"], next: "install nix" }],
  }),
  build: ({ image }) => {
    throw unavailableFault("Nix images are not built yet", { where: image.name });
  },
};
