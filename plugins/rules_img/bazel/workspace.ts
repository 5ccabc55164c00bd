/** Where a recipe's workspace is, and which program serves it. */

import { unavailableFault, usageFault } from "../../../lib/model/errors.ts";
import { which } from "../../../lib/process/which.ts";
import { exists } from "../../../lib/store/state.ts";
import type { RulesImgRecipe } from "../recipe.ts";

/** A Bazel workspace. */
export interface Workspace {
  /** Absolute path. */
  readonly path: string;
  /** Relative to images.ts' folder; empty for that folder itself. */
  readonly folder: string;
}

/** Bazelisk first: it takes the version that the workspace asks for. */
export const PROGRAMS: readonly string[] = ["bazelisk", "bazel"];

/** Files of which a workspace's top folder has at least one. */
export const BOUNDARIES: readonly string[] = [
  "MODULE.bazel",
  "WORKSPACE",
  "WORKSPACE.bazel",
  "REPO.bazel",
];

/** The workspace of a recipe. */
export function workspaceOf(root: string, { workspace = "." }: RulesImgRecipe): Workspace {
  const folder = workspace.split("/").filter((part) => part !== "" && part !== ".").join("/");
  return { folder, path: folder === "" ? root : `${root}/${folder}` };
}

/** Absolute path of the file in which Bazel keeps what its modules came to; it may not exist. */
export function lockOf({ path }: Workspace): string {
  return `${path}/MODULE.bazel.lock`;
}

/**
 * Insists on a workspace that Bazel would take for one.
 *
 * @throws {Fault} when it is none.
 */
export function checkWorkspace({ path }: Workspace, where: string): void {
  if (BOUNDARIES.some((name) => exists(`${path}/${name}`))) return;
  throw usageFault("There is no Bazel workspace here: no MODULE.bazel and no WORKSPACE file", {
    where: `${where}: ${path}`,
    next: "name its folder with `workspace` in images.ts",
  });
}

/**
 * The program to start.
 *
 * @throws {Fault} when neither is installed.
 */
export function bazelProgram(where: string): string {
  const program = PROGRAMS.find((name) => which(name) !== undefined);
  if (program !== undefined) return program;
  throw unavailableFault('This machine has neither "bazelisk" nor "bazel"', {
    where,
    next: "install bazelisk",
  });
}
