/** The recipe's options and what the command line adds to them. */

import { usageFault } from "../../../lib/model/errors.ts";
import type { DescribeContext } from "../../../lib/model/plugin.ts";
import type { Image } from "../../../lib/model/recipe.ts";
import { closest } from "../syntax/suggest.ts";

/** Where a named build context comes from: an image of images.ts, or what a text says. */
export type NamedContext = string | { readonly image: string };

/** The options of `dockerfile({ … })`, defaults filled in; paths are relative to images.ts. */
export interface Options {
  readonly context: string;
  readonly file: string;
  /** Where the Dockerfile may be, the first that is there. */
  readonly files: readonly string[];
  readonly target?: string;
  readonly contexts: Readonly<Record<string, NamedContext>>;
  /** As docker writes them: `id=npm,src=.npmrc`. */
  readonly secrets: readonly string[];
  /** As docker writes them: `default`. */
  readonly ssh: readonly string[];
  readonly network?: string;
  /** In the engine's own words. */
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  /** What assembles the image: `auto`, `native`, or an engine's name. */
  readonly engine: string;
  /** Values of build arguments: `--arg`, then the recipe's `args`, then `hostEnv`. */
  readonly args: ReadonlyMap<string, string>;
  /** Names of the recipe's own `args`. */
  readonly ownArgs: ReadonlySet<string>;
  /** Names of arguments whose values come from `hostEnv`: they are in the key already. */
  readonly hostArgs: ReadonlySet<string>;
}

/** What can assemble an image. */
const ENGINES: readonly string[] = ["auto", "native", "docker", "podman", "buildah"];

/** What docker, and then podman and buildah, look for in a context. */
const DEFAULT_FILES = ["Dockerfile", "dockerfile", "Containerfile"];

/** The options of an image's recipe, under this command line. */
export function readOptions(image: Image, context: DescribeContext): Options {
  const raw = image.options;
  const folder = cleanPath(textOf(raw["context"]) ?? ".");
  const given = textOf(raw["file"]);
  const files =
    (given === undefined ? DEFAULT_FILES.map((name) => joinPath(folder, name)) : [given])
      .map(cleanPath);
  const target = textOf(raw["target"]);
  const network = textOf(raw["network"]);
  const args = new Map(Object.entries(context.env));
  const hostArgs = new Set(args.keys());
  for (const table of [recordOf(raw["args"]), context.args]) {
    for (const [name, value] of Object.entries(table)) {
      args.set(name, String(value));
      hostArgs.delete(name);
    }
  }
  return {
    context: folder,
    file: files[0]!,
    files,
    ...(target === undefined ? {} : { target }),
    contexts: recordOf(raw["contexts"]) as Record<string, NamedContext>,
    secrets: textsOf(raw["secrets"]),
    ssh: textsOf(raw["ssh"]),
    ...(network === undefined ? {} : { network }),
    cacheFrom: textsOf(raw["cacheFrom"]),
    cacheTo: textsOf(raw["cacheTo"]),
    engine: readEngine(context.overrides.engine ?? textOf(raw["engine"]) ?? "auto"),
    args,
    ownArgs: new Set(Object.keys(recordOf(raw["args"]))),
    hostArgs,
  };
}

/** Joins a folder and a path below it, both `/`-separated and relative. */
export function joinPath(folder: string, path: string): string {
  return folder === "." || folder === "" ? path : `${folder}/${path}`;
}

/** A relative path without `.`, `a/..` and a trailing slash. */
export function cleanPath(path: string): string {
  if (path.startsWith("/")) {
    throw usageFault(`The path "${path}" is absolute`, {
      next: "write it relative to the folder that images.ts is in",
    });
  }
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.length === 0 ? "." : parts.join("/");
}

function readEngine(name: string): string {
  if (ENGINES.includes(name)) return name;
  const near = closest(name, ENGINES);
  throw usageFault(`There is no engine "${name}"`, {
    next: near === undefined
      ? `choose one of ${ENGINES.join(", ")}`
      : `write "${near}" if that was meant`,
  });
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
