/** Targets that no edge of a query leads to but that decide what others are built from. */

import { canonicalLabel, matchesLabel } from "../bazel/label.ts";
import type { Queried } from "../bazel/query.ts";
import { valuesOf } from "./rc.ts";
import { isOwnPattern } from "./workspace_files.ts";

/** Options whose targets, with commas between them, decide what others are built with. */
const PLATFORM_OPTIONS = [
  "--platforms",
  "--host_platform",
  "--extra_toolchains",
  "--extra_execution_platforms",
];

/** A setting of a BUILD file, and its value. */
const SETTING = /^--(@{0,2}[^/=]*\/\/[^=]+)=(.+)$/;

/** A value that may be the label of one of the workspace's own targets; a text may look like one. */
const OWN_LABEL = /^@{0,2}\/\/[^\s:,"]*(?::[^\s:,"]+)?$/;

/** What words of a command say about targets of the workspace. */
export interface Said {
  /** Patterns of targets that decide what all others are built with. */
  readonly patterns: readonly string[];
  /** Setting → the targets that `label_flag` rules of that name stand for. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Reads words of a command. */
export function saidBy(words: readonly string[]): Said {
  const platforms = valuesOf(words, PLATFORM_OPTIONS).flatMap((value) => value.split(","));
  const settings = words.flatMap((word) => {
    const [, setting = "", value = ""] = SETTING.exec(word) ?? [];
    return OWN_LABEL.test(value) ? [[canonicalLabel(setting), canonicalLabel(value)] as const] : [];
  });
  const byName = Map.groupBy(settings, ([setting]) => setting);
  return {
    patterns: platforms.filter(isOwnPattern),
    values: new Map([...byName].map(([name, all]) => [name, all.map(([, value]) => value)])),
  };
}

/** The targets of an answer that patterns stand for, whatever else was asked for with them. */
export function matchedBy(patterns: readonly string[], queried: Queried): string[] {
  return [...queried].flatMap(([label, { kind }]) =>
    patterns.some(matchesLabel(label, kind === "rule")) ? [label] : []
  );
}

/**
 * A query for all that targets are made from, and the files that declare it. What a toolchain stands
 * for is no edge. Each target is named once, for there may be thousands in one argument.
 */
export function queryFor(patterns: Iterable<string>): string {
  const roots = [...patterns].map((each) => `"${each}"`).join(" ");
  return `let roots = set(${roots}) in ` +
    "let all = deps($roots + labels(toolchain, deps($roots))) in $all + buildfiles($all)";
}
