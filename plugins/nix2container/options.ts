/** What a recipe says, read. */

import { usageFault } from "../../lib/model/errors.ts";
import type { Healthcheck } from "../../lib/model/oci.ts";
import type { Image } from "../../lib/model/recipe.ts";
import { type Installable, parseInstallable } from "./installable.ts";
import type { HealthcheckRecipe, Nix2containerRecipe } from "./recipe.ts";

/** Where an image comes from: Nix, or an image.json that is there already. */
export type Source =
  | { readonly installable: Installable }
  | { readonly manifest: string };

/**
 * The source that a recipe names.
 *
 * @throws {Fault} of usage when it names none, both, or no installable.
 */
export function sourceOf(image: Image): Source {
  const { installable, manifest } = recipeOf(image);
  if ((installable === undefined) === (manifest === undefined)) {
    throw usageFault(
      installable === undefined
        ? "The recipe names neither an installable nor a manifest"
        : "The recipe names both an installable and a manifest",
      {
        where: image.name,
        ...(image.place === undefined ? {} : { place: image.place }),
        next: 'give `installable`, e.g. ".#image", or `manifest`, the path of an image.json',
      },
    );
  }
  if (manifest !== undefined) return { manifest };
  return { installable: parseInstallable(installable!) };
}

/** The recipe's own options. */
export function recipeOf(image: Image): Nix2containerRecipe {
  return image.options as Nix2containerRecipe;
}

/** Nanoseconds of a second: what the config counts in. */
const NANOSECONDS = 1e9;

/** A recipe's health check as the config has it. */
export function healthcheckOf(recipe: HealthcheckRecipe): Healthcheck {
  const { test, interval, timeout, startPeriod, startInterval, retries } = recipe;
  const inNanoseconds = (seconds: number | undefined) => Math.round((seconds ?? 0) * NANOSECONDS);
  return {
    Test: test,
    Interval: inNanoseconds(interval),
    Timeout: inNanoseconds(timeout),
    StartPeriod: inNanoseconds(startPeriod),
    StartInterval: inNanoseconds(startInterval),
    Retries: retries ?? 0,
  };
}
