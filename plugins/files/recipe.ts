/** The recipe of plugin `files`: data only. */

import { recipe } from "../../lib/dsl/define.ts";
import {
  count,
  custom,
  imageIn,
  isImageReference,
  mode,
  path,
  required,
  type Shape,
  tables,
  text,
  textMap,
  texts,
} from "../../lib/dsl/shape.ts";
import type { CommonRecipeOptions, ImageReference, Name, Recipe } from "../../lib/dsl/types.ts";
import { lazy } from "../../lib/model/lazy.ts";
import type { PluginRef } from "../../lib/model/recipe.ts";
import { isReference } from "../../lib/model/reference.ts";

/** One layer: a file, or a folder's content, and where it goes. */
export interface LayerRecipe {
  /** File or folder, relative to images.ts. */
  readonly from: string;
  /** Absolute path in the image; a file goes into it where it ends in `/`. */
  readonly to: string;
  /**
   * Permission bits of the files, e.g. `"0755"`; folders keep 0755.
   * @default 0755 for files their owner may execute, else 0644
   */
  readonly mode?: string | number;
  /** Owner. @default 0 */
  readonly uid?: number;
  /** Group. @default 0 */
  readonly gid?: number;
}

/** The plugin's own options. */
export interface FilesRecipe<I extends string = string> {
  /** Image below: one of images.ts, or a reference to a remote one. @default none */
  readonly base?: string | ImageReference<I>;
  /** Layers, the lowest first. */
  readonly layers: readonly LayerRecipe[];
  /** Program and arguments that always run. */
  readonly entrypoint?: readonly string[];
  /** Arguments that may be replaced. */
  readonly cmd?: readonly string[];
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly workdir?: string;
  /** User, and group after a colon. */
  readonly user?: string;
  /** Ports, e.g. `8080` or `"53/udp"`. */
  readonly ports?: readonly (string | number)[];
}

/** Options of `files()`. */
export type FilesOptions<N extends string, I extends string, R extends string> =
  & FilesRecipe<I>
  & CommonRecipeOptions<N, R>;

const LAYER: Shape = {
  from: required(path),
  to: required(text),
  mode,
  uid: count,
  gid: count,
};

const SHAPE: Shape = {
  base: custom(
    'a reference such as "ghcr.io/org/base:1", or { image: NAME }',
    (value) => typeof value === "string" ? isReference(value) : isImageReference(value),
    { images: imageIn },
  ),
  layers: required(tables(LAYER)),
  entrypoint: texts,
  cmd: texts,
  env: textMap,
  workdir: text,
  user: text,
  ports: custom(
    'a list of ports such as 8080 or "53/udp"',
    (value) =>
      Array.isArray(value) && value.every((port) => /^\d{1,5}(\/(tcp|udp|sctp))?$/.test(`${port}`)),
  ),
};

/** Name and version, as they enter keys. */
export const PLUGIN = { name: "files", version: "2" } as const;

const REF: PluginRef = {
  ...PLUGIN,
  load: lazy(async () => (await import("./build.ts")).plugin),
};

/** An image made of files and folders. */
export function files<
  const N extends string = never,
  const I extends string = never,
  const R extends string = never,
>(options: FilesOptions<N, I, R>): Recipe<Name<N>, Name<I>, Name<R>> {
  return recipe(REF, SHAPE, options, files);
}
