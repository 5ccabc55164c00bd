/**
 * From files on disk to selections, as short as can be: a folder whose files are all taken is named
 * as a whole. That changes nothing, for only files are entries, and a file that is added to such a
 * folder moves the guard.
 */

import { relative } from "@std/path";
import { literalPattern } from "../../../lib/files/selection.ts";
import { linkTarget, realPath } from "../../../lib/files/way.ts";
import type { Selection } from "../../../lib/model/selection.ts";
import { entriesOf, isBelow, isFolder, listed } from "./reading.ts";
import { BUILD_FILES, isInstalled } from "./repositories.ts";

/** A selection of these files, and of all in those that are folders. */
export function fileSelections(root: string, paths: Iterable<string>): Selection[] {
  const inside: string[] = [];
  const outside = new Map<string, string[]>();
  for (const path of [...paths].sort()) {
    if (isBelow(path, root)) inside.push(path.slice(root.length + 1));
    else {
      const cut = path.lastIndexOf("/");
      const folder = relative(root, path.slice(0, cut));
      outside.set(folder, [...outside.get(folder) ?? [], path.slice(cut + 1)]);
    }
  }
  const include = shortened(root, inside).map(literalPattern);
  return [
    { root: ".", include, takes: "files" },
    ...[...outside].map(([folder, names]): Selection => ({
      root: folder,
      include: names.map(literalPattern),
      as: `${folder}/`,
      takes: "files",
    })),
  ];
}

/** The packages whose globs are asked about, and what they do not see. */
export interface Listed {
  /** Absolute path of the workspace. */
  readonly workspace: string;
  /** Absolute paths of the packages' folders. */
  readonly packages: Iterable<string>;
  /** Absolute paths of folders that .bazelignore hides. */
  readonly ignored: ReadonlySet<string>;
}

/**
 * Selections of the names of all that packages' `glob()` may see: their folders without those of
 * other packages, the files that make these packages, and what links to folders lead to.
 */
export function listingSelections(root: string, looked: Listed): Selection[] {
  const { workspace } = looked;
  return foldersOf(looked).map(({ folder, others, hidden }): Selection => {
    const inside = (path: string) => literalPattern(path.slice(folder.length + 1));
    const at = relative(root, folder) || ".";
    return {
      root: at,
      include: ["**"],
      exclude: [
        ...hidden.map(inside),
        ...(folder === workspace ? linksOfBazel(workspace).map(literalPattern) : []),
        // Of another package only the file that makes it one: without it, its files are ours.
        ...others.map((other) => `${inside(other)}/${NO_BUILD_FILE}`),
      ],
      ...(at === "." ? {} : { as: `${at}/` }),
      takes: "names",
    };
  });
}

/** A glob for every name but these, which are plain letters and dots: globs have no word for it. */
function anythingBut(names: readonly string[]): string {
  const beginnings = new Set(
    names.flatMap((name) =>
      Array.from({ length: name.length + 1 }, (_, length) => name.slice(0, length))
    ),
  );
  const alternatives = [...beginnings].flatMap((beginning) => {
    const next = [...beginnings].filter((each) =>
      each.length === beginning.length + 1 && each.startsWith(beginning)
    ).map((each) => each.at(-1));
    const longer = next.length === 0 ? `${beginning}?*` : `${beginning}[!${next.join("")}]*`;
    return beginning === "" || names.includes(beginning) ? [longer] : [beginning, longer];
  });
  return `{${alternatives.join(",")}}`;
}

const NO_BUILD_FILE = anythingBut(BUILD_FILES);

/** The names of all that packages' `glob()` may see, as one text: to tell whether it has changed. */
export function visibleNames(looked: Listed): string {
  return foldersOf(looked).flatMap(({ names }) => names).sort().join("\n");
}

/** Folders that .bazelignore hides, as absolute paths. */
export function ignoredFolders(workspace: string, text: string): ReadonlySet<string> {
  const lines = text.split("\n").map((line) => line.trim().replace(/\/+$/, ""));
  return new Set(
    lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) =>
      `${workspace}/${line}`
    ),
  );
}

/** A folder that globs see. */
interface Seen {
  /** Absolute path. */
  readonly folder: string;
  /** Absolute paths of all in it. */
  readonly names: readonly string[];
  /** The highest folders below that are packages themselves. */
  readonly others: readonly string[];
  /** Those that Bazel does not see, or nobody may read. */
  readonly hidden: readonly string[];
}

/** The folders of packages and those that links in them lead to. */
function foldersOf({ workspace, packages, ignored }: Listed): Seen[] {
  const folders = new Set([...packages].sort());
  const all: Seen[] = [];
  for (const folder of folders) {
    const names: string[] = [];
    const others: string[] = [];
    const hidden: string[] = [];
    const linked: string[] = [];
    const walk = (top: string, entries: readonly Deno.DirEntry[]) => {
      for (const entry of entries) {
        if (entry.name === ".git" || entry.name === ".images") continue;
        const path = `${top}/${entry.name}`;
        names.push(path);
        const inside = entry.isDirectory ? path : entry.isSymlink && linkedFolder(path, workspace);
        if (!inside) continue;
        const below = ignored.has(path) ? undefined : listed(path);
        if (below === undefined) hidden.push(path);
        else if (below.some(isBuildFile)) others.push(path);
        else if (entry.isDirectory) walk(path, below);
        else linked.push(inside);
      }
    };
    walk(folder, entriesOf(folder));
    all.push({ folder, names, others, hidden });
    const isListed = (path: string) =>
      isBelow(path, folder) && ![...others, ...hidden].some((each) => isBelow(path, each));
    for (const each of linked) if (!isListed(each)) folders.add(each);
  }
  return all;
}

/** The folder that a link leads to, if it may hold sources. */
function linkedFolder(path: string, workspace: string): string | undefined {
  const real = realPath(path);
  if (real === undefined || !isFolder(real)) return undefined;
  if (isBelow(real, workspace)) return real;
  // Whatever is above the workspace may be anything, e.g. a home or the whole disk.
  const isForeign = isBelow(workspace, real) || isInstalled(real) || OUTPUTS.test(real);
  return isForeign ? undefined : real;
}

/** Part of the paths that lead to what Bazel has built. */
const OUTPUTS = /\/execroot(?:\/|$)/;

/** Names of links that Bazel leaves in a workspace by itself, those too that are not there yet. */
function linksOfBazel(workspace: string): string[] {
  const name = workspace.slice(workspace.lastIndexOf("/") + 1);
  const usual = ["bin", "out", "genfiles", "testlogs", name].map((each) => `bazel-${each}`);
  const entries = entriesOf(workspace).filter((entry) => entry.name.startsWith("bazel-"));
  const isLeft = ({ name, isSymlink }: Deno.DirEntry) =>
    isSymlink && OUTPUTS.test(linkTarget(`${workspace}/${name}`) ?? "");
  const others = entries.filter((entry) => !isLeft(entry)).map(({ name }) => name);
  const left = entries.filter(isLeft).map(({ name }) => name);
  return [...new Set([...usual, ...left])].filter((each) => !others.includes(each));
}

function isBuildFile(entry: Deno.DirEntry): boolean {
  return !entry.isDirectory && BUILD_FILES.includes(entry.name);
}

/** Names folders in place of all the files in them. */
function shortened(root: string, files: readonly string[]): string[] {
  const taken = new Set(files);
  const folders = new Set(files.flatMap(parentsOf));
  const patterns: string[] = [];
  /** Adds the patterns of a folder unless all in it is taken, which it says. */
  const visit = (folder: string): boolean => {
    const parts: string[] = [];
    let whole = folder !== "";
    for (const entry of entriesOf(folder === "" ? root : `${root}/${folder}`)) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (taken.has(path) || (entry.isDirectory && folders.has(path) && visit(path))) {
        parts.push(path);
      } else whole = false;
    }
    if (!whole) patterns.push(...parts);
    return whole;
  };
  visit("");
  const covered = new Set(patterns);
  const missing = files.filter((file) =>
    ![file, ...parentsOf(file)].some((each) => covered.has(each))
  );
  return [...patterns, ...missing].sort();
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    parents.push(path.slice(0, at));
  }
  return parents;
}
