/** The part of a query's answer that one target is made from. */

import { formatLabel, parseLabel } from "../bazel/label.ts";
import type { Queried } from "../bazel/query.ts";

/** What a target is made from. */
export interface Closure {
  /** Labels of all targets in it, itself included. */
  readonly labels: ReadonlySet<string>;
  /** Labels of source files. */
  readonly sources: readonly string[];
  /** Labels that the answer leaves out: their packages could not be loaded. */
  readonly missing: readonly string[];
}

/**
 * Follows all edges from some targets.
 *
 * @param values label of a setting → labels of what it stands for, other than its BUILD file says.
 */
export function closureOf(
  queried: Queried,
  roots: readonly string[],
  values: ReadonlyMap<string, readonly string[]> = new Map(),
): Closure {
  const labels = new Set(roots);
  const sources: string[] = [];
  const missing: string[] = [];
  for (const label of labels) {
    const target = queried.get(label);
    if (target === undefined) {
      if (!isBuiltIn(label)) missing.push(label);
      continue;
    }
    if (target.kind === "source-file") sources.push(label);
    for (const input of target.inputs) labels.add(input);
    for (const other of [target.toolchain, ...values.get(label) ?? []]) {
      if (other !== undefined && queried.has(other)) labels.add(other);
    }
  }
  return { labels, sources, missing };
}

/** Packages (`//a/b` or `@repository//a/b`) of all labels in a closure. */
export function packagesOf({ labels }: Closure): ReadonlySet<string> {
  const packages = new Set<string>();
  for (const text of labels) {
    const label = parseLabel(text);
    if (label !== undefined) packages.add(formatLabel({ ...label, name: "" }).slice(0, -1));
  }
  return packages;
}

/** Labels that stand for nothing: settings and visibilities of Bazel itself. */
function isBuiltIn(label: string): boolean {
  return label.startsWith("//visibility:") || label.startsWith("//conditions:") ||
    label.startsWith("@bazel_tools//") || label.startsWith("//external:");
}
