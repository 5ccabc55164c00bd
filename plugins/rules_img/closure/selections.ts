/**
 * From files on disk to selections, as short as can be: a folder whose files are all taken is named
 * as a whole. That changes nothing, for only files are entries, and a file that is added to such a
 * folder moves the guard.
 */

import { relative } from "@std/path";
import { literalPattern } from "../../../lib/files/selection.ts";
import type { Selection } from "../../../lib/model/selection.ts";
import { isBelow } from "./reading.ts";
import { BUILD_FILES } from "./sources.ts";

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

/**
 * Selections of the names of all that packages' `glob()` may see: their folders without those of
 * other packages, and the files that make these packages.
 */
export function listingSelections(
  root: string,
  packages: Iterable<string>,
  ignored: ReadonlySet<string>,
): Selection[] {
  return [...packages].sort().map((folder): Selection => {
    const { others, hidden } = nested(folder, ignored);
    const at = relative(root, folder) || ".";
    return {
      root: at,
      include: ["**"],
      exclude: [
        ...hidden.map(literalPattern),
        // Links that Bazel leaves in a workspace by itself.
        "bazel-*",
        // Of another package only the file that makes it one: without it, its files are ours.
        ...others.map((other) => `${literalPattern(other)}/!(${BUILD_FILES.join("|")})`),
      ],
      ...(at === "." ? {} : { as: `${at}/` }),
      takes: "names",
    };
  });
}

/** The names of all that packages' `glob()` may see, as one text: to tell whether it has changed. */
export function visibleNames(packages: Iterable<string>, ignored: ReadonlySet<string>): string {
  const names: string[] = [];
  for (const top of packages) walk(top, ignored, (path) => names.push(path), () => {});
  return names.sort().join("\n");
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

/** The highest folders below one that are packages themselves, and those that Bazel does not see. */
function nested(
  top: string,
  ignored: ReadonlySet<string>,
): { readonly others: readonly string[]; readonly hidden: readonly string[] } {
  const others: string[] = [];
  const hidden: string[] = [];
  walk(top, ignored, () => {}, (path) => {
    (ignored.has(path) ? hidden : others).push(path.slice(top.length + 1));
  });
  return { others, hidden };
}

/** Goes through a package's folder; tells each path, and each folder it does not go into. */
function walk(
  top: string,
  ignored: ReadonlySet<string>,
  seen: (path: string) => void,
  left: (path: string) => void,
): void {
  for (const entry of entriesOf(top)) {
    if (entry.name === ".git" || entry.name === ".images") continue;
    const path = `${top}/${entry.name}`;
    seen(path);
    if (!entry.isDirectory) continue;
    const isOther = ignored.has(path) || entriesOf(path).some((each) => isBuildFile(each));
    if (isOther) left(path);
    else walk(path, ignored, seen, left);
  }
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

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    // It has gone, or is not to be read: Bazel says so where it matters.
    return [];
  }
}
