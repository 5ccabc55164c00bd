/** The recipe of plugin `rules_img`: data only. */

import { recipe } from "../../lib/dsl/define.ts";
import { custom, type Kind, path, required, type Shape, text, texts } from "../../lib/dsl/shape.ts";
import { wholeInputs } from "../../lib/dsl/projections.ts";
import type { CommonRecipeOptions, Name, Recipe } from "../../lib/dsl/types.ts";
import { lazy } from "../../lib/model/lazy.ts";
import type { PluginRef } from "../../lib/model/recipe.ts";
import { parseTarget } from "./bazel/label.ts";

/** The plugin's own options. */
export interface RulesImgRecipe {
  /** Label of an `image_manifest` or `image_index`, e.g. `//app:image`. */
  readonly target: string;
  /** Folder of the Bazel workspace, relative to images.ts. @default "." */
  readonly workspace?: string;
  /** Label of a push target; images are then pushed through it. */
  readonly push?: string;
  /** Arguments handed to `bazel build`. @default [] */
  readonly args?: readonly string[];
  /** Value of `--config`. */
  readonly config?: string;
}

/** Options of `rulesImg()`. */
export type RulesImgOptions<N extends string, R extends string> =
  & RulesImgRecipe
  & CommonRecipeOptions<N, R>;

const label: Kind = custom(
  'the label of one target, such as "//app:image"',
  (value) => typeof value === "string" && parseTarget(value) !== undefined,
);

const SHAPE: Shape = {
  inputs: wholeInputs("Bazel"),
  target: required(label),
  workspace: path,
  push: label,
  args: texts,
  config: text,
};

/** Name and version, as they enter keys. */
export const PLUGIN = { name: "rules_img", version: "2" } as const;

const REF: PluginRef = {
  ...PLUGIN,
  load: lazy(async () => (await import("./build.ts")).plugin),
};

/** An image made by Bazel with rules_img. */
export function rulesImg<const N extends string = never, const R extends string = never>(
  options: RulesImgOptions<N, R>,
): Recipe<Name<N>, never, Name<R>> {
  return recipe(REF, SHAPE, options, rulesImg);
}
