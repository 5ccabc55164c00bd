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

/**
 * A named build context, which FROM, `COPY --from` and `RUN --mount` can name: an image of the same
 * images.ts (`{ image: NAME }`), or as text
 * - a folder relative to images.ts,
 * - `docker-image://REFERENCE`, a remote image, whose digest is in the key as a base's is,
 * - `oci-layout://FOLDER`, with `:TAG` or `@DIGEST`, an image in an OCI layout,
 * - a git repository such as `https://HOST/PATH.git#REF:FOLDER`, whose commit is in the key.
 */
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
  /**
   * Named build contexts. A name that is an image reference (`"alpine:3.19"`) or a stage's stands
   * in its place wherever the Dockerfile names it.
   * @default {}
   */
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

const LAYOUT = "oci-layout://";
const REMOTE = /^(?:docker-image|https?|ssh|git):\/\/.|^[\w.-]+@[\w.-]+:./;

/** Says whether a text is a folder, or begins as one of the other contexts. */
function isContext(text: string): boolean {
  if (REMOTE.test(text) || (text.startsWith(LAYOUT) && text !== LAYOUT)) return true;
  return !/^[a-z][a-z0-9+.-]*:\/\/|^(?:target|input|service):/.test(text);
}

/** The path below images.ts' folder that a context names, if it does. */
function pathIn(text: string): string[] {
  if (text.startsWith(LAYOUT)) return [text.slice(LAYOUT.length).replace(/@.*$/, "")];
  return REMOTE.test(text) ? [] : [text];
}

const SHAPE: Shape = {
  context: path,
  file: path,
  target: text,
  args: textMap,
  contexts: custom(
    "an object of folders, { image: NAME }, docker-image://…, oci-layout://… or git URLs",
    (value) =>
      isObject(value) &&
      Object.values(value).every((each) =>
        typeof each === "string" ? isContext(each) : isImageReference(each)
      ),
    {
      images: (value) => Object.values(value as Record<string, unknown>).flatMap(imageIn),
      paths: (value) =>
        Object.values(value as Record<string, unknown>).flatMap((each) =>
          typeof each === "string" ? pathIn(each) : []
        ),
    },
  ),
  secrets: texts,
  ssh: texts,
  network: text,
  cacheFrom: texts,
  cacheTo: texts,
  engine: oneOf(["auto", "native", "docker", "podman", "buildah"]),
};

/** Name and version, as they enter keys; the reference is BuildKit 0.26 with Dockerfile 1.20. */
export const PLUGIN = { name: "dockerfile", version: "12" } as const;

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
