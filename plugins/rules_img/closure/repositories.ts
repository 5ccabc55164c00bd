/** Repositories on disk: which of them hold sources that people edit, and where. */

import { linkTarget, realPath } from "../../../lib/files/way.ts";
import { entriesOf, isBelow, isLink } from "./reading.ts";

/** Where a repository's files are. */
export interface Place {
  /** Absolute path of the folder in which Bazel sees them. */
  readonly seen: string;
  /** Absolute path of the folder in which they are edited; none where they are pinned elsewhere. */
  readonly edited?: string;
}

/** Names of BUILD files, the one that wins first. */
export const BUILD_FILES: readonly string[] = ["BUILD.bazel", "BUILD"];

/** Files that a repository rule writes itself, whatever it links to. */
const WRITTEN = [...BUILD_FILES, "WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel", "REPO.bazel"];

/** What is installed on a machine is no source, as its compilers are none. */
const INSTALLED =
  /^\/(?:usr\/(?!(?:local\/)?src\/)|nix\/store\/|s?bin\/|lib\d*\/|proc\/|sys\/|dev\/)/;

/**
 * Where a repository's files may be edited: a local one is a link, or has a link for each entry of
 * its folder.
 *
 * @param folder where Bazel has put it.
 */
export function placeOf(folder: string, workspace: string): Place {
  const real = realPath(folder);
  if (real !== undefined && isLink(folder)) {
    return isEdited(real, folder, workspace) ? { seen: real, edited: real } : { seen: folder };
  }
  const source = mirrored(folder);
  const isLocal = source !== undefined && isEdited(source, folder, workspace);
  return isLocal ? { seen: folder, edited: source } : { seen: folder };
}

/** Says whether a file or folder that a repository's leads to may be edited. */
export function isEdited(real: string, folder: string, workspace: string): boolean {
  const outside = outputFolders(folder).every((each) => !isBelow(real, each));
  return outside && (isBelow(real, workspace) || !isInstalled(real));
}

/** Says whether a path belongs to the machine. */
export function isInstalled(path: string): boolean {
  return INSTALLED.test(`${path}/`);
}

/** Folders in which Bazel keeps what it fetched, built and came with. */
function outputFolders(folder: string): string[] {
  const [, outputs] = /^(.+)\/external\/[^/]+$/.exec(folder) ?? [];
  if (outputs === undefined) return [realPath(folder) ?? folder];
  const installed = realPath(`${outputs}/install`);
  // All of a user's workspaces share a folder for these, and for what is cached.
  const [shared] = /^.+(?=\/install\/[0-9a-f]{32}$)/.exec(installed ?? "") ?? [];
  return [realPath(outputs) ?? outputs, installed, shared].filter((each) => each !== undefined);
}

/** The folder whose entries a repository has as links: `new_local_repository` leaves it so. */
function mirrored(folder: string): string | undefined {
  const links = entriesOf(folder).filter(({ name }) => !WRITTEN.includes(name));
  const targets = new Map(links.map(({ name }) => [name, linkTarget(`${folder}/${name}`)]));
  const [first] = targets.values();
  const source = first?.slice(0, first.lastIndexOf("/"));
  if (!source?.startsWith("/")) return undefined;
  const isWhole = entriesOf(source).every(({ name }) =>
    WRITTEN.includes(name) || targets.get(name) === `${source}/${name}`
  );
  return isWhole ? realPath(source) : undefined;
}
