/**
 * The types of images.ts. Names are type parameters, so that the compiler knows every image, task,
 * registry and group, and a misspelt one is an error that names it.
 */

import type { Projection } from "../model/projection.ts";
import type { Expectations, Registry, TaskRun } from "../model/recipe.ts";

/** Carries a recipe's names through the type checker; there is nothing at run time. */
export declare const names: unique symbol;

/** A name that is only known at run time is not checked. */
// deno-lint-ignore no-explicit-any
export type Name<S extends string> = string extends S ? any : S;

/**
 * A declared image: the data of one recipe.
 *
 * @typeParam N names it needs; @typeParam I images its options refer to; @typeParam R its registries.
 */
// deno-lint-ignore no-explicit-any
export interface Recipe<N extends string = any, I extends string = any, R extends string = any> {
  /** Only for the type checker. */
  readonly [names]: { needs: N; images: I; registries: R };
}

/** A reference to another image of the same images.ts; it is a dependency. */
export interface ImageReference<I extends string = string> {
  /** Name of the image. */
  readonly image: I;
}

/** A declared task. */
// deno-lint-ignore no-explicit-any
export interface TaskDeclaration<N extends string = any> {
  /** Only for the type checker. */
  readonly [names]: { needs: N };
}

/** A declared registry. */
export interface RegistryDeclaration extends Registry {
  /** Only for the type checker. */
  readonly [names]: "registry";
}

/** Options of `registry()`. */
export interface RegistryOptions {
  /**
   * Whether anybody may read what is there. Images for a public registry must not need or be based
   * on images that only a private one holds. Without it the registry counts as public where images
   * go to it, and as private where their bases come from it.
   */
  readonly visibility?: "public" | "private";
  /**
   * How layers are compressed when they are uploaded.
   * @default "gzip"
   */
  readonly compression?: "gzip" | "zstd" | "none";
  /**
   * Speaks plain http to a host that is not loopback.
   * @default false
   */
  readonly insecure?: boolean;
  /**
   * Reads the cache entries that pull requests wrote.
   * @default false
   */
  readonly trustPullRequests?: boolean;
}

/** Options of `task()`. */
export interface TaskOptions<N extends string = string> {
  /**
   * Globs of input files; a leading `!` leaves out. Links before the first wildcard are followed,
   * others count by their targets. `json()` and `lockfile()` name files of which only a part counts.
   * Without it the task runs at every build.
   */
  readonly inputs?: readonly (string | Projection)[];
  /**
   * Globs of the files it makes. They are removed before it runs, and kept.
   * @default []
   */
  readonly outputs?: readonly string[];
  /** Tasks whose outputs it reads. @default [] */
  readonly needs?: readonly N[];
  /** Names of environment variables whose values are part of its key. @default [] */
  readonly hostEnv?: readonly string[];
  /** Folder it runs in, relative to images.ts. @default "." */
  readonly cwd?: string;
  /** Seconds after which it is ended and has failed. */
  readonly timeout?: number;
  /** A command line, or a function given dax's `$`. */
  readonly run: TaskRun;
}

/**
 * The options of every recipe.
 *
 * @typeParam N names of images and tasks it needs; @typeParam R names of registries.
 */
export interface CommonRecipeOptions<N extends string = string, R extends string = string> {
  /** Images and tasks that must be there first. @default [] */
  readonly needs?: readonly N[];
  /**
   * Globs of further input files; a leading `!` leaves out. Links before the first wildcard are
   * followed, others count by their targets. `json()` and `lockfile()` name files of which only a
   * part counts, wherever they are selected.
   * @default []
   */
  readonly inputs?: readonly (string | Projection)[];
  /**
   * Names of environment variables whose values are part of the key and are handed to the build; a
   * Dockerfile receives them as the ARG of that name.
   * @default []
   */
  readonly hostEnv?: readonly string[];
  /** Platforms such as `linux/arm64`. @default the host's Linux platform */
  readonly platforms?: readonly string[];
  /** Registries it may be published to. @default all that are declared */
  readonly registries?: readonly R[];
  /** Repository below the registry's path. @default the image's name */
  readonly repository?: string;
  /**
   * Mutable tags; `{revision}`, `{branch}` and `{git-tag}` are filled in at push.
   * @default ["latest"]
   */
  readonly tags?: readonly string[];
  /** Labels of the image's config. @default {} */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the published manifest. @default {} */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Seconds since 1970 that the config's `created` and file times carry. @default 0 */
  readonly created?: number;
  /** What the built image must hold before it is recorded or pushed. */
  readonly expect?: Expectations;
  /** Seconds after which the build is ended and has failed. */
  readonly timeout?: number;
}

/** Group members are checked unless they are only known at run time. */
export type Members<L extends readonly string[], A extends string> = string extends L[number] ? L
  : readonly A[];

/** Group name → members, before they are checked. */
export type Groups = { readonly [group: string]: readonly string[] };

/**
 * What `define()` takes.
 *
 * @typeParam R registries; @typeParam T tasks; @typeParam I images; @typeParam G groups.
 */
export interface Definition<
  R extends string,
  T extends string,
  I extends string,
  G extends Groups,
> {
  /** Where images are published. */
  readonly registries?: { readonly [K in R]: RegistryDeclaration };
  /** Commands whose outputs images are made of. */
  readonly tasks?: { readonly [K in T]?: TaskDeclaration<NoInfer<T>> | undefined };
  /** The images. */
  readonly images: {
    readonly [K in I]?: Recipe<NoInfer<T | I>, NoInfer<I>, NoInfer<R>> | undefined;
  };
  /** Names for several images, tasks and groups. */
  readonly groups?: { readonly [K in keyof G]: Members<G[K], NoInfer<I | T> | (keyof G & string)> };
  /** Writes git's revision, source and dates as annotations when publishing. @default true */
  readonly gitAnnotations?: boolean;
}
