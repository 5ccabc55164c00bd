/**
 * `images/plugins`: the built-in ways of building images.
 *
 * @module
 */

export { dockerfile } from "./dockerfile/recipe.ts";
export type {
  DockerfileOptions,
  DockerfileRecipe,
  Engine,
  NamedContext,
} from "./dockerfile/recipe.ts";
export { files } from "./files/recipe.ts";
export type { FilesOptions, FilesRecipe, LayerRecipe } from "./files/recipe.ts";
export { nix2container } from "./nix2container/recipe.ts";
export type {
  HealthcheckRecipe,
  Nix2containerOptions,
  Nix2containerRecipe,
} from "./nix2container/recipe.ts";
export { rulesImg } from "./rules_img/recipe.ts";
export type { RulesImgOptions, RulesImgRecipe } from "./rules_img/recipe.ts";
export type { CommonRecipeOptions, ImageReference, Name, Recipe } from "../lib/dsl/types.ts";
