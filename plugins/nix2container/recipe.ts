/** The recipe of plugin `nix2container`: data only. */

import { recipe } from "../../lib/dsl/define.ts";
import {
  count,
  path,
  required,
  seconds,
  type Shape,
  table,
  text,
  texts,
} from "../../lib/dsl/shape.ts";
import { wholeInputs } from "../../lib/dsl/projections.ts";
import type { CommonRecipeOptions, Name, Recipe } from "../../lib/dsl/types.ts";
import { lazy } from "../../lib/model/lazy.ts";
import type { PluginRef } from "../../lib/model/recipe.ts";

/** The plugin's own options: `installable` or `manifest` must be given. */
export interface Nix2containerRecipe {
  /** What to build, e.g. `.#attic-server-image` or `-f default.nix -A image`. */
  readonly installable?: string;
  /** Path of an image.json that is there already, relative to images.ts. */
  readonly manifest?: string;
  /** Asks a container for its health; nix2container itself has no place for it. @default none */
  readonly healthcheck?: HealthcheckRecipe;
  /** Arguments handed to nix, e.g. `["--max-jobs", "4"]`. @default [] */
  readonly args?: readonly string[];
  /** Name of an Attic cache: `attic watch-store` runs beside the build where it is installed. */
  readonly watchStore?: string;
}

/** How a container is asked for its health. Times are seconds. */
export interface HealthcheckRecipe {
  /** `CMD` and a command line, or `CMD-SHELL` and one text. */
  readonly test: readonly string[];
  /** Time between two checks. */
  readonly interval?: number;
  /** Time after which a check has failed. */
  readonly timeout?: number;
  /** Time to start in which failures do not count. */
  readonly startPeriod?: number;
  /** Time between two checks while starting. */
  readonly startInterval?: number;
  /** Failures in a row that make it unhealthy. */
  readonly retries?: number;
}

/** Options of `nix2container()`. */
export type Nix2containerOptions<N extends string, R extends string> =
  & Nix2containerRecipe
  & CommonRecipeOptions<N, R>;

const SHAPE: Shape = {
  inputs: wholeInputs("Nix"),
  installable: text,
  manifest: path,
  healthcheck: table({
    test: required(texts),
    interval: seconds,
    timeout: seconds,
    startPeriod: seconds,
    startInterval: seconds,
    retries: count,
  }),
  args: texts,
  watchStore: text,
};

/** Name and version, as they enter keys. */
export const PLUGIN = { name: "nix2container", version: "1" } as const;

const REF: PluginRef = {
  ...PLUGIN,
  load: lazy(async () => (await import("./build.ts")).plugin),
};

/** An image made by nix2container, without a daemon and without a patched skopeo. */
export function nix2container<const N extends string = never, const R extends string = never>(
  options: Nix2containerOptions<N, R>,
): Recipe<Name<N>, never, Name<R>> {
  return recipe(REF, SHAPE, options, nix2container);
}
