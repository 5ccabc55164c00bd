/** The recipe of plugin `dockerfile`: data only. */

import { recipe } from "../../lib/dsl/define.ts";
import {
  custom,
  imageIn,
  isImageReference,
  isObject,
  oneOf,
  path,
  type Shape,
  text,
  textMap,
  texts,
} from "../../lib/dsl/shape.ts";
import type { CommonRecipeOptions, ImageReference, Name, Recipe } from "../../lib/dsl/types.ts";
import { lazy } from "../../lib/model/lazy.ts";
import type { PluginRef } from "../../lib/model/recipe.ts";

/** What builds a Dockerfile. */
export type Engine = "auto" | "native" | "docker" | "podman" | "buildah";

/** A named build context: a folder relative to images.ts, or an image of the same images.ts. */
export type NamedContext<I extends string = string> = string | ImageReference<I>;

/** The plugin's own options. */
export interface DockerfileRecipe<I extends string = string> {
  /** Folder of the build context, relative to images.ts. @default "." */
  readonly context?: string;
  /** The Dockerfile, relative to images.ts. @default "<context>/Dockerfile" */
  readonly file?: string;
  /** Stage to build. @default the last one */
  readonly target?: string;
  /** Build arguments. @default {} */
  readonly args?: Readonly<Record<string, string>>;
  /** Named build contexts. @default {} */
  readonly contexts?: Readonly<Record<string, NamedContext<I>>>;
  /** Secrets as docker writes them, e.g. `"id=npm,src=.npmrc"` or `"id=token,env=TOKEN"`. */
  readonly secrets?: readonly string[];
  /** SSH agents or keys as docker writes them, e.g. `"default"`. */
  readonly ssh?: readonly string[];
  /** Network of RUN: `"none"`, `"host"` or `"default"`. */
  readonly network?: string;
  /** Caches that the engine may read, in its own words. */
  readonly cacheFrom?: readonly string[];
  /** Caches that the engine writes, in its own words. */
  readonly cacheTo?: readonly string[];
  /**
   * What builds it; not part of the key. `"auto"` is our own engine where there is no RUN, else the
   * first that works of docker buildx, podman, buildah and docker.
   * @default "auto"
   */
  readonly engine?: Engine;
}

/** Options of `dockerfile()`. */
export type DockerfileOptions<N extends string, I extends string, R extends string> =
  & DockerfileRecipe<I>
  & CommonRecipeOptions<N, R>;

const SHAPE: Shape = {
  context: path,
  file: path,
  target: text,
  args: textMap,
  contexts: custom(
    "an object of folders or { image: NAME }",
    (value) =>
      isObject(value) &&
      Object.values(value).every((each) => typeof each === "string" || isImageReference(each)),
    {
      images: (value) => Object.values(value as Record<string, unknown>).flatMap(imageIn),
      paths: (value) =>
        Object.values(value as Record<string, unknown>).filter((each) =>
          typeof each === "string"
        ) as string[],
    },
  ),
  secrets: texts,
  ssh: texts,
  network: text,
  cacheFrom: texts,
  cacheTo: texts,
  engine: oneOf(["auto", "native", "docker", "podman", "buildah"]),
};

/** Name and version, as they enter keys. */
export const PLUGIN = { name: "dockerfile", version: "4" } as const;

const REF: PluginRef = {
  ...PLUGIN,
  load: lazy(async () => (await import("./build.ts")).plugin),
};

/** An image built from a Dockerfile. */
export function dockerfile<
  const N extends string = never,
  const I extends string = never,
  const R extends string = never,
>(options: DockerfileOptions<N, I, R> = {}): Recipe<Name<N>, Name<I>, Name<R>> {
  return recipe(REF, SHAPE, options, dockerfile);
}
