/** What a recipe says to Bazel. */

import type { Json } from "../../lib/model/json.ts";
import type { Image } from "../../lib/model/recipe.ts";
import type { RulesImgRecipe } from "./recipe.ts";

/** The plugin's own options of an image. */
export function recipeOf({ image }: { readonly image: Image }): RulesImgRecipe {
  return image.options as unknown as RulesImgRecipe;
}

/** The options of a recipe that are part of its key. */
export function keyOptions(image: Image): Readonly<Record<string, Json>> {
  const { push: _, ...options } = recipeOf({ image });
  return options as unknown as Readonly<Record<string, Json>>;
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
