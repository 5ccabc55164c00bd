/**
 * What a workspace's top folder says about every target in it: its own files there, and files that
 * they name by label, such as a lock file that repositories are made from.
 */

import { type Label, parseLabel, pathOf } from "../bazel/label.ts";
import { loadsOf, stringsOf } from "./loads.ts";
import { isFile, readIfThere } from "./reading.ts";

/** What counts for every image of a workspace. */
export interface WorkspaceFiles {
  /** Absolute paths; some may be missing, for they may appear. */
  readonly files: ReadonlySet<string>;
  /** Target patterns of toolchains and platforms, which no edge of a query leads to. */
  readonly registered: readonly string[];
  /** The names by which the workspace's own files may call it. */
  readonly ownNames: ReadonlySet<string>;
}

const STARLARK = [
  "MODULE.bazel",
  "WORKSPACE",
  "WORKSPACE.bazel",
  "WORKSPACE.bzlmod",
  "REPO.bazel",
];

/** What Bazel reads before every BUILD file. */
const PRELUDE: Label = { repository: "", package: "tools/build_rules", name: "prelude_bazel" };

const OTHER = [
  "MODULE.bazel.lock",
  ".bazelversion",
  ".bazeliskrc",
  ".bazelignore",
  "tools/bazel",
  "platform_mappings",
];

/** The top package, in which strings of these files are labels. */
const TOP: Label = { repository: "", package: "", name: "" };

/** Reads the files of a workspace's top folder and what they lead to. */
export function workspaceFiles(workspace: string): WorkspaceFiles {
  const files = new Set(OTHER.map((name) => `${workspace}/${name}`));
  const registered = new Set<string>();
  const ownNames = new Set([""]);
  const waiting: Label[] = [...STARLARK.map((name) => ({ ...TOP, name })), PRELUDE];
  for (const label of waiting) {
    const path = `${workspace}/${pathOf(label)}`;
    if (files.has(path)) continue;
    files.add(path);
    const text = readIfThere(path);
    for (const name of namesGiven(text)) ownNames.add(name);
    for (const pattern of registeredIn(text, ownNames)) registered.add(pattern);
    const named = stringsOf(text).flatMap((string) => parseLabel(string, label) ?? []);
    for (const other of [...loadsOf(text, label), ...named]) {
      if (!ownNames.has(other.repository)) continue;
      const own = { ...other, repository: "" };
      if (!isFile(`${workspace}/${pathOf(own)}`)) continue;
      if (/\.(bzl|bazel)$/.test(own.name)) waiting.push(own);
      else files.add(`${workspace}/${pathOf(own)}`);
    }
  }
  return { files, registered: [...registered], ownNames };
}

/** `workspace(name = "x")` and `module(name = "x", repo_name = "y")`. */
function namesGiven(text: string): string[] {
  const calls = [...text.matchAll(/(?:^|\n)\s*(?:workspace|module)\s*\(([^)]*)\)/g)];
  return calls.flatMap(([, args = ""]) =>
    [...args.matchAll(/\b(?:repo_)?name\s*=\s*["']([^"']+)["']/g)].map(([, name = ""]) => name)
  );
}

/** Patterns of the workspace's own among what it registers. */
function registeredIn(text: string, ownNames: ReadonlySet<string>): string[] {
  const calls = [...text.matchAll(/\bregister_(?:toolchains|execution_platforms)\s*\(([^)]*)\)/g)];
  return calls.flatMap(([, args = ""]) => stringsOf(args)).flatMap((pattern) => {
    const [, name = "", path = ""] = /^@{0,2}([^/]*)(\/\/.*)$/.exec(pattern) ?? [];
    return path !== "" && ownNames.has(name) ? [path] : [];
  });
}

/** Says whether a target pattern is of the workspace's own repository. */
export function isOwnPattern(text: string): boolean {
  return /^@{0,2}\/\//.test(text);
}
