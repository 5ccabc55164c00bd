/** What goes into an image, and under which circumstances it need not be evaluated again. */

import { join, relative } from "@std/path";
import {
  attributesFile,
  configFiles,
  headFiles,
  type Repository,
  repositoryOf,
} from "../../lib/files/git_index.ts";
import type { Json } from "../../lib/model/json.ts";
import type { DescribeContext, Description, Guard } from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import type { Selection } from "../../lib/model/selection.ts";
import type { Installable } from "./installable.ts";
import { askedFile } from "./asked.ts";
import { changesWithCommit, COMMIT_READS } from "./commit.ts";
import { GIT_ENVIRONMENT, userGitFiles } from "./git_settings.ts";
import { mentions, trackedIn } from "./mentions.ts";
import { recipeOf, sourceOf } from "./options.ts";
import { sourceKeyParts } from "./source.ts";

/** Variables that Nix's configuration depends on. */
const ENVIRONMENT = [
  "HOME",
  "NIX_CONF_DIR",
  "NIX_CONFIG",
  "NIX_PATH",
  "NIX_REMOTE",
  "NIX_STORE_DIR",
  "NIX_USER_CONF_FILES",
  "XDG_CONFIG_HOME",
];

const NIX = { anyOf: ["nix"], next: "install nix, or name an image.json by `manifest`" };

/** Describes an image. Nothing is evaluated. */
export function describe(image: Image, context: DescribeContext): Description {
  const { healthcheck } = recipeOf(image);
  const own: Record<string, Json> = healthcheck === undefined
    ? {}
    : { healthcheck: healthcheck as unknown as Json };
  const named = sourceOf(image);
  if ("manifest" in named) {
    const { manifest } = named;
    return { options: { manifest, ...own }, inputs: [], files: [manifest] };
  }
  const options = { installable: recipeOf(image).installable!, ...own };
  const { inputs, repositories } = sourceFiles(named.installable, context.root);
  const changes = repositories.some((each) => changesWithCommit(each, trackedIn(each)));
  const sourceKey = sourceKeyParts({
    installable: named.installable,
    args: recipeOf(image).args ?? [],
    inputs,
    repositories,
    changesWithCommit: changes,
    alwaysFile: askedFile(image, context),
    configuration: configurationFiles(),
  });
  const description: Description = {
    options,
    inputs,
    tools: [NIX],
    ...(sourceKey === undefined ? {} : { sourceKey }),
  };
  if (seesOutputs(named.installable, repositories) && image.common.needs.length > 0) {
    // What is evaluated may be what a task has yet to make.
    return description;
  }
  const local = {
    files: [
      ...configurationFiles(),
      askedFile(image, context),
      ...missingRepositories(named.installable, context.root),
    ],
    env: ENVIRONMENT,
  };
  if (repositories.length === 0) return { ...description, guard: { ...local, tools: ["nix"] } };
  const guard: Guard = {
    files: [
      ...local.files,
      ...userGitFiles(),
      ...(changes ? repositories.flatMap(headFiles) : []),
    ],
    env: [...local.env, ...GIT_ENVIRONMENT],
    tools: ["nix", "git"],
    ...(changes ? { trees: repositories.map((each) => indexOf(each, context.root)) } : {}),
  };
  const reads = repositories.flatMap((each): (string | Selection)[] => [
    relative(context.root, `${each.folder}/index`),
    ...[attributesFile(each), `${each.top}/.gitattributes`, ...configFiles(each)]
      .map((path) => relative(context.root, path)),
    // Another branch has its commit in another file.
    ...(changes ? [relative(context.root, `${each.folder}/HEAD`)] : []),
    { ...treeOf(each.top, context.root), include: COMMIT_READS, tracked: true },
  ]);
  return { ...description, guard, reads };
}

/** Where a repository would be nearer to the evaluated folder than the one it is in, if it is. */
function missingRepositories(installable: Installable, root: string): readonly string[] {
  const folder = folderOf(installable, root);
  if (folder === undefined) return [];
  const top = repositoryOf(folder)?.top;
  const missing: string[] = [];
  for (let at = folder; at !== top && at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    missing.push(`${at}/.git`);
  }
  return missing;
}

/** A repository's index as it lies there, with the file that a split one shares. */
function indexOf({ folder }: Repository, root: string): Selection {
  const below = relative(root, folder);
  return { root: below, include: ["index", "sharedindex.*"], takes: "files", as: `${below}/` };
}

/** The files an evaluation can see, and the repositories that decide about them. */
function sourceFiles(installable: Installable, root: string): {
  readonly inputs: readonly Selection[];
  readonly repositories: readonly Repository[];
} {
  const everything = installable.kind === "flake" && installable.local?.everything === true;
  const folder = folderOf(installable, root);
  if (folder === undefined) return { inputs: [], repositories: [] };
  const repository = everything ? undefined : repositoryOf(folder);
  if (repository === undefined) {
    return { inputs: [{ ...treeOf(folder, root), git: true }], repositories: [] };
  }
  const repositories = [
    repository,
    ...(seesSubmodules(installable, folder) ? submodulesOf(repository) : []),
  ];
  return {
    inputs: repositories.map(({ top }) => ({ ...treeOf(top, root), tracked: true })),
    repositories,
  };
}

/** Whether a flake is evaluated with its submodules, as its reference or newer ones themselves say. */
function seesSubmodules(installable: Installable, folder: string): boolean {
  if (installable.kind === "file") return false;
  const { submodules = false, subfolder = "" } = installable.local ?? {};
  return submodules || mentions(join(folder, subfolder, "flake.nix"), /\bsubmodules\b/);
}

/** The submodules that are checked out, and theirs. */
function submodulesOf(repository: Repository): readonly Repository[] {
  return (trackedIn(repository)?.submodules ?? []).flatMap((path) => {
    const top = `${repository.top}/${path}`;
    const submodule = repositoryOf(top);
    return submodule?.top === top ? [submodule, ...submodulesOf(submodule)] : [];
  });
}

/** All of a folder, under its path relative to the project. */
function treeOf(folder: string, root: string): Selection {
  const top = relative(root, folder) || ".";
  return { root: top, include: ["**"], ...(top === "." ? {} : { as: `${top}/` }) };
}

/** The folder that is evaluated, absolute; undefined where Nix fetches it. */
export function folderOf(installable: Installable, root: string): string | undefined {
  const below = installable.kind === "file"
    ? installable.file.replace(/[^/]*$/, "")
    : installable.local?.folder;
  if (below === undefined) return undefined;
  const folder = below.startsWith("/") ? below : join(root, below);
  return folder.replace(/(?<=.)\/+$/, "");
}

/** Of a flake in a repository an evaluation sees only what git tracks, not what tasks make. */
function seesOutputs(installable: Installable, repositories: readonly Repository[]): boolean {
  return installable.kind === "file" ||
    (installable.local !== undefined && repositories.length === 0);
}

function configurationFiles(): string[] {
  const home = Deno.env.get("HOME") ?? "/root";
  const user = Deno.env.get("XDG_CONFIG_HOME") ?? `${home}/.config`;
  const named = Deno.env.get("NIX_USER_CONF_FILES")?.split(":").filter((path) => path !== "");
  return [
    `${Deno.env.get("NIX_CONF_DIR") ?? "/etc/nix"}/nix.conf`,
    ...named ?? [`${user}/nix/nix.conf`],
  ];
}
