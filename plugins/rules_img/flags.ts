/** What a recipe says to Bazel. */

import type { Image } from "../../lib/model/recipe.ts";
import type { RulesImgRecipe } from "./recipe.ts";

/** The plugin's own options of an image. */
export function recipeOf({ image }: { readonly image: Image }): RulesImgRecipe {
  return image.options as unknown as RulesImgRecipe;
}

/** The flags that a recipe gives to a command of Bazel. */
export function recipeFlags({ image }: { readonly image: Image }): string[] {
  const { args = [], config } = recipeOf({ image });
  return [
    ...args,
    ...(config === undefined ? [] : [`--config=${config}`]),
    ...image.common.hostEnv.map((name) => `--action_env=${name}`),
  ];
}
