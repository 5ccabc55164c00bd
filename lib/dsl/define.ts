/** The functions images.ts is written with. They make data; the loader checks it. */

import type { Plugin } from "../model/plugin.ts";
import type { PluginRef, TaskRun } from "../model/recipe.ts";
import { type Origin, originOf } from "./origin.ts";
import type { Shape } from "./shape.ts";
import type {
  CommonRecipeOptions,
  Definition,
  Groups,
  Name,
  Recipe,
  RegistryDeclaration,
  RegistryOptions,
  TaskDeclaration,
  TaskOptions,
} from "./types.ts";

/** What `define()` was given, and where. */
export class Defined {
  constructor(
    readonly fields: Readonly<Record<string, unknown>>,
    readonly origin: Origin,
  ) {}
}

/** A recipe as it was written. */
export class WrittenRecipe {
  constructor(
    readonly plugin: PluginRef,
    readonly shape: Shape | undefined,
    readonly options: Readonly<Record<string, unknown>>,
    readonly origin: Origin,
  ) {}
}

/** A task as it was written. */
export class WrittenTask {
  constructor(
    readonly options: Readonly<Record<string, unknown>> & { readonly run?: TaskRun },
    readonly origin: Origin,
  ) {}
}

/** A registry as it was written. */
export class WrittenRegistry {
  constructor(
    readonly address: string,
    readonly options: Readonly<Record<string, unknown>>,
    readonly origin: Origin,
  ) {}
}

/** Declares the images of a repository; the default export of images.ts. */
export function define<
  const R extends string,
  const I extends string,
  const T extends string = never,
  // deno-lint-ignore ban-types
  const G extends Groups = {},
>(definition: Definition<R, T, I, G>): Definition<R, T, I, G> {
  const fields = definition as unknown as Readonly<Record<string, unknown>>;
  return new Defined(fields, originOf(define)) as unknown as Definition<R, T, I, G>;
}

/**
 * Declares a registry.
 *
 * @param address host and path, e.g. `ghcr.io/your-org`.
 */
export function registry(address: string, options: RegistryOptions = {}): RegistryDeclaration {
  const written = new WrittenRegistry(address, { ...options }, originOf(registry));
  return written as unknown as RegistryDeclaration;
}

/** Declares a task: a command or function that makes files which images are made of. */
export function task<const N extends string = never>(
  options: TaskOptions<N>,
): TaskDeclaration<Name<N>> {
  const written = new WrittenTask({ ...options }, originOf(task));
  return written as unknown as TaskDeclaration<Name<N>>;
}

/** A table made in a loop whose keys keep their literal names, so that they can be checked. */
export function each<const K extends string, V>(
  keys: readonly K[],
  make: (key: K) => V,
): { readonly [P in K]: V } {
  // Without a prototype it is made for many names; a plain object is slow to take a thousand.
  const table = Object.create(null) as { [P in K]: V };
  for (const key of keys) table[key] = make(key);
  return table;
}

/** What a plugin of your own is made of. */
export type PluginDefinition = Plugin & {
  /** Its options, checked when images.ts is loaded; without it any option is accepted. */
  readonly options?: Shape;
};

/** The constructor of a plugin's recipes: the common options, and its own. */
export type RecipeConstructor<O> = <
  const N extends string = never,
  const R extends string = never,
>(options: O & CommonRecipeOptions<N, R>) => Recipe<Name<N>, never, Name<R>>;

/**
 * Makes a way of building images into a recipe constructor for images.ts.
 *
 * @typeParam O the plugin's own options.
 */
export function plugin<O extends object = Record<string, unknown>>(
  definition: PluginDefinition,
): RecipeConstructor<O> {
  const { options: shape, ...implementation } = definition;
  const ref: PluginRef = {
    name: definition.name,
    version: definition.version,
    load: () => Promise.resolve(implementation),
  };
  const construct = (options: Record<string, unknown>) =>
    new WrittenRecipe(ref, shape, { ...options }, originOf(construct));
  return construct as unknown as RecipeConstructor<O>;
}

/**
 * What a built-in plugin's constructor hands back.
 *
 * @param constructor the exported constructor, whose caller is where the recipe is written.
 */
export function recipe(
  ref: PluginRef,
  shape: Shape,
  options: object,
  // deno-lint-ignore ban-types
  constructor: Function,
  // deno-lint-ignore no-explicit-any
): any {
  return new WrittenRecipe(ref, shape, { ...options }, originOf(constructor));
}
