/** Why a key is another one than the recorded one: the parts compared, one reason for each cause. */

import { shortDigest } from "../model/digest.ts";
import type { Json } from "../model/json.ts";
import type { ImageKeyParts, TaskKeyParts } from "../model/key.ts";
import { canonicalJson } from "../oci/json.ts";
import type { Reason } from "../model/result.ts";
import type { ProjectionCache } from "../files/projection_cache.ts";
import type { Entry } from "../model/selection.ts";
import { changedParts } from "./part_changes.ts";

/** The most changed files that are listed one by one. */
const FILE_LIMIT = 1000;

/** The longest text of an option's value in a reason, in characters. */
const VALUE_LIMIT = 60;

/** What changed between two sets of an image's parts, the trees' files apart. */
export function imageReasons(before: ImageKeyParts, now: ImageKeyParts): Reason[] {
  return [
    ...pluginReasons(before, now),
    ...optionReasons(before.options, now.options),
    ...environmentReasons(before.hostEnv, now.hostEnv),
    ...digestReasons("base-changed", before.bases, now.bases),
    ...digestReasons("base-changed", before.sources ?? {}, now.sources ?? {}),
    ...digestReasons("need-changed", before.images, now.images),
    ...digestReasons("need-changed", before.tasks, now.tasks),
  ];
}

/** What changed between two sets of a task's parts, the trees' files apart. */
export function taskReasons(before: TaskKeyParts, now: TaskKeyParts): Reason[] {
  const options = (parts: TaskKeyParts): Json => ({
    run: parts.run,
    cwd: parts.cwd,
    outputs: parts.outputs,
  });
  return [
    ...optionReasons(options(before), options(now)),
    ...environmentReasons(before.hostEnv, now.hostEnv),
    ...digestReasons("need-changed", before.tasks, now.tasks),
  ];
}

/**
 * Files that were changed, added or removed between two input trees.
 *
 * @param projections tells what changed in a file of which only a part counts.
 */
export function treeReasons(
  before: readonly Entry[],
  now: readonly Entry[],
  projections?: Pick<ProjectionCache, "parts">,
): Reason[] {
  const old = new Map(before.map((entry) => [entry.path, entry]));
  const filled = foldersWithContent([...before, ...now]);
  const tells = (entry: Entry) => entry.type !== "directory" || !filled.has(entry.path);
  const reasons: Reason[] = [];
  for (const entry of now) {
    const was = old.get(entry.path);
    old.delete(entry.path);
    if (was === undefined) {
      if (tells(entry)) reasons.push({ kind: "input-added", path: entry.path });
    } else if (!sameEntry(was, entry)) {
      reasons.push({
        kind: "input-changed",
        path: entry.path,
        ...howChanged(was, entry, projections),
      });
    }
  }
  for (const entry of old.values()) {
    if (tells(entry)) reasons.push({ kind: "input-removed", path: entry.path });
  }
  return reasons.length <= FILE_LIMIT ? reasons : [
    ...reasons.slice(0, FILE_LIMIT),
    { kind: "input-changed", detail: `and ${reasons.length - FILE_LIMIT} more files` },
  ];
}

/** A folder with something in it goes without saying: what is in it is said. */
function foldersWithContent(entries: readonly Entry[]): Set<string> {
  return new Set(entries.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("/")))));
}

function sameEntry(a: Entry, b: Entry): boolean {
  return a.type === b.type && a.executable === b.executable && a.digest === b.digest &&
    a.target === b.target;
}

function howChanged(
  was: Entry,
  entry: Entry,
  projections: Pick<ProjectionCache, "parts"> | undefined,
): { detail?: string } {
  if (was.type !== entry.type) return { detail: `${was.type} → ${entry.type}` };
  if (entry.type === "symlink") return { detail: `→ ${entry.target}` };
  if (was.digest === entry.digest) {
    return { detail: entry.executable ? "now executable" : "no longer executable" };
  }
  const old = projections?.parts(was.digest ?? "");
  const current = projections?.parts(entry.digest ?? "");
  if (old !== undefined && current !== undefined) return { detail: changedParts(old, current) };
  return {};
}

function pluginReasons(before: ImageKeyParts, now: ImageKeyParts): Reason[] {
  const text = (parts: ImageKeyParts) => `${parts.plugin.name} ${parts.plugin.version}`;
  if (before.schema === now.schema && text(before) === text(now)) return [];
  return [{
    kind: "plugin-changed",
    path: now.plugin.name,
    detail: `${text(before)} → ${text(now)}`,
  }];
}

function optionReasons(before: Json, now: Json): Reason[] {
  const old = asObject(before);
  const current = asObject(now);
  const names = [...new Set([...Object.keys(old), ...Object.keys(current)])].sort();
  return names.filter((name) => render(old[name]) !== render(current[name])).map((name) => ({
    kind: "option-changed",
    path: name,
    detail: `${brief(old[name])} → ${brief(current[name])}`,
  }));
}

function environmentReasons(
  before: Readonly<Record<string, string | null>>,
  now: Readonly<Record<string, string | null>>,
): Reason[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.filter((name) => before[name] !== now[name]).map((name) => ({
    kind: "env-changed",
    path: name,
    detail: now[name] == null
      ? "no longer set"
      : before[name] == null
      ? "now set"
      : "another value",
  }));
}

function digestReasons(
  kind: "base-changed" | "need-changed",
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): Reason[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.filter((name) => before[name] !== now[name]).map((name) => ({
    kind,
    path: name,
    detail: `${digestText(before[name])} → ${digestText(now[name])}`,
  }));
}

function digestText(digest: string | undefined): string {
  return digest === undefined ? "none" : `${shortDigest(digest)}…`;
}

function asObject(value: Json): Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, Json>
    : { value };
}

function render(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : canonicalJson(value);
}

function brief(value: Json | undefined): string {
  const text = value === undefined ? "none" : canonicalJson(value);
  return text.length <= VALUE_LIMIT ? text : `${text.slice(0, VALUE_LIMIT - 1)}…`;
}
