/** What goes into an image, and under which circumstances it need not be evaluated again. */

import { join, relative } from "@std/path";
import {
  headFiles,
  type Repository,
  repositoryOf,
  trackedFiles,
} from "../../lib/files/git_index.ts";
import type { Json } from "../../lib/model/json.ts";
import type { DescribeContext, Description, Guard } from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import type { Selection } from "../../lib/model/selection.ts";
import type { Installable } from "./installable.ts";
import { askedFile } from "./asked.ts";
import { recipeOf, sourceOf } from "./options.ts";

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
  const source = sourceOf(image);
  if ("manifest" in source) {
    const { manifest } = source;
    return { options: { manifest, ...own }, inputs: [], files: [manifest] };
  }
  const options = { installable: recipeOf(image).installable!, ...own };
  const { inputs, repository } = sourceFiles(source.installable, context.root);
  const description: Description = { options, inputs, tools: [NIX] };
  if (seesOutputs(source.installable, repository) && image.common.needs.length > 0) {
    // What is evaluated may be what a task has yet to make.
    return description;
  }
  const guard: Guard = {
    files: [
      ...configurationFiles(),
      askedFile(image, context),
      ...(repository !== undefined && mentionsRevision(repository) ? headFiles(repository) : []),
    ],
    env: ENVIRONMENT,
    tools: ["nix"],
  };
  if (repository === undefined) return { ...description, guard };
  return { ...description, guard, reads: [relative(context.root, `${repository.folder}/index`)] };
}

/** The files an evaluation can see, and the repository that decides about them. */
function sourceFiles(
  installable: Installable,
  root: string,
): { readonly inputs: readonly Selection[]; readonly repository?: Repository } {
  const everything = installable.kind === "flake" && installable.local?.everything === true;
  const folder = folderOf(installable, root);
  if (folder === undefined) return { inputs: [] };
  const repository = everything ? undefined : repositoryOf(folder);
  const top = relative(root, repository?.top ?? folder) || ".";
  const selection: Selection = {
    root: top,
    include: ["**"],
    ...(top === "." ? {} : { as: `${top}/` }),
    ...(everything ? { git: true } : {}),
    ...(repository === undefined ? {} : { tracked: true }),
  };
  return { inputs: [selection], ...(repository === undefined ? {} : { repository }) };
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
function seesOutputs(installable: Installable, repository: Repository | undefined): boolean {
  return installable.kind === "file" ||
    (installable.local !== undefined && repository === undefined);
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

/** What a flake learns about the commit it is at; a value of one of these changes with the commit. */
const REVISION = /\b(?:(?:short|dirty|dirtyShort)Rev|rev|revCount|lastModified(?:Date)?)\b/;

/** Repositories whose files were read: index and its stat → what was found. */
const scanned = new Map<string, boolean>();

/** Says whether a Nix file of a repository names something that another commit changes. */
function mentionsRevision(repository: Repository): boolean {
  const key = JSON.stringify([repository.folder, stampOf(`${repository.folder}/index`)]);
  const known = scanned.get(key);
  if (known !== undefined) return known;
  const files = trackedFiles(repository)?.filter((path) => path.endsWith(".nix"));
  const found = files?.some((path) => REVISION.test(textOf(`${repository.top}/${path}`))) ?? true;
  scanned.set(key, found);
  return found;
}

function stampOf(path: string): Json {
  try {
    const { size, ino, mtime } = Deno.statSync(path);
    return [size, ino ?? 0, mtime?.getTime() ?? 0];
  } catch {
    return null;
  }
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
