/** What decides a Bazel image without asking Bazel: the repository's files, options, the environment. */

import { relative } from "@std/path";
import {
  headCommit,
  headFiles,
  type Repository,
  repositoryOf,
  type TrackedFiles,
  trackedFiles,
} from "../../lib/files/git_index.ts";
import type { Json } from "../../lib/model/json.ts";
import type { DescribeContext, SourceKeyParts } from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import { literalPattern } from "../../lib/files/selection.ts";
import type { Selection } from "../../lib/model/selection.ts";
import { hashText } from "../../lib/oci/hash.ts";
import { BOUNDARIES, type Workspace, workspaceOf } from "./bazel/workspace.ts";
import { type EffectiveOption, effectiveOptions, isOn, localOptions } from "./closure/options.ts";
import { rcChain } from "./closure/rc.ts";
import { listed, readIfThere } from "./closure/reading.ts";
import { workspaceFiles } from "./closure/workspace_files.ts";
import { namedVariables } from "./environment.ts";
import { recipeFlags, recipeOf } from "./flags.ts";

/** Repositories of files anywhere on this machine. */
const ELSEWHERE = /\bpath\s*=\s*["']\//;

/** Options with which something outside of the repository takes part in a build. */
const OVERRIDES = /^--(?:override_(?:repository|module)|package_path|inject_repository)\b/;

/**
 * Names what decides an image; undefined where the workspace is in no git repository, or where
 * something that no clone has may decide too.
 */
export async function sourceKeyParts(
  image: Image,
  { root }: DescribeContext,
): Promise<SourceKeyParts | undefined> {
  const workspace = workspaceOf(root, recipeOf({ image }));
  const repository = repositoryOf(workspace.path);
  const tracked = repository === undefined ? undefined : trackedFiles(repository);
  if (repository === undefined || tracked === undefined || !isWhole(tracked)) return undefined;
  const rc = rcChain(workspace.path, Deno.env.get("HOME"));
  const options = effectiveOptions(rc, recipeFlags({ image }));
  const { files: own } = workspaceFiles(workspace.path);
  const reachesOut = [...own].some((file) => ELSEWHERE.test(readIfThere(file)));
  if (reachesOut || options.some(({ text }) => OVERRIDES.test(text))) return undefined;
  const variables = namedVariables(options, [...own].filter((path) => path.endsWith(".bzl")));
  const isStamped = isOn(options, "stamp") === true;
  const commit = isStamped ? headCommit(repository) : null;
  if (commit === undefined) return undefined;
  const files = filesOf(repository, tracked, root);
  return {
    inputs: [files],
    committed: [{ ...files, tracked: true }],
    facts: { commit, ...await digestsOf(options, variables, workspace) },
    guard: {
      files: [...rc.local, ...(isStamped ? headFiles(repository) : [])],
      env: ["HOME", ...variables],
    },
  };
}

/** Everything that Bazel may see in a repository, but for the links that it makes itself. */
function filesOf({ top }: Repository, tracked: TrackedFiles, root: string): Selection {
  const below = relative(root, top) || ".";
  return {
    root: below,
    include: ["**"],
    exclude: [...ownLinks(top, tracked)],
    takes: "files",
    ...(below === "." ? {} : { as: `${below}/` }),
  };
}

/** Links such as `bazel-bin`, which Bazel puts into each workspace and does not look at itself. */
function* ownLinks(top: string, { files }: TrackedFiles): Generator<string> {
  const committed = new Set(files);
  const workspaces = files.filter((path) => BOUNDARIES.includes(path.split("/").at(-1)!))
    .map((path) => path.slice(0, path.lastIndexOf("/") + 1));
  for (const workspace of new Set(workspaces)) {
    for (const { name, isSymlink } of listed(`${top}/${workspace}`) ?? []) {
      const path = workspace + name;
      if (isSymlink && name.startsWith("bazel-") && !committed.has(path)) {
        yield literalPattern(path);
      }
    }
  }
}

/** Whether all that git tracks is known and here. */
function isWhole({ submodules, unwatched }: TrackedFiles): boolean {
  return submodules.length === 0 && !unwatched;
}

/** The user's own options and the values of variables, as digests for they may be secret. */
async function digestsOf(
  options: readonly EffectiveOption[],
  variables: readonly string[],
  workspace: Workspace,
): Promise<Readonly<Record<string, Json>>> {
  const digest = async (value: unknown) => await hashText(JSON.stringify(value ?? null));
  const local = [...localOptions(options, workspace.path)];
  return {
    local: await Promise.all(local.map(async ([name, all]) => [name, await digest(all)])),
    env: await Promise.all(
      variables.map(async (name) => [name, await digest(Deno.env.get(name))]),
    ),
  };
}
