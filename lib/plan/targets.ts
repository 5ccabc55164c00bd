/** From what was typed to what is meant: names, groups, globs, `NAME...` and `...NAME`. */

import { suggest } from "../dsl/suggest.ts";
import { usageFault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { Project } from "../model/recipe.ts";
import type { Graph } from "./graph.ts";

/** The nodes that were asked for. */
export interface Targets {
  /** Ids of the nodes that were named, in the graph's order. */
  readonly ids: readonly Subject[];
  /** They were named (or `--all` was given), so each must succeed. */
  readonly strict: boolean;
}

/**
 * Resolves targets; none means every image, and is strict only with `all`.
 *
 * @throws {Fault} when a name or pattern matches nothing.
 */
export function resolveTargets(
  project: Project,
  graph: Graph,
  targets: readonly string[],
  all: boolean,
): Targets {
  if (targets.length === 0 || all) {
    const ids = [...graph.nodes.values()].filter((node) => node.type === "image");
    return { ids: ids.map((node) => node.id), strict: all };
  }
  const wanted = new Set<Subject>();
  for (const target of targets) {
    for (const id of resolveOne(project, graph, target)) wanted.add(id);
  }
  return { ids: [...graph.nodes.keys()].filter((id) => wanted.has(id)), strict: true };
}

function resolveOne(project: Project, graph: Graph, target: string): readonly Subject[] {
  const withNeeds = target.length > 3 && target.endsWith("...");
  const withDependents = target.length > 3 && target.startsWith("...");
  const name = target.slice(withDependents ? 3 : 0, withNeeds ? -3 : undefined);
  const ids = namesFor(project, name).flatMap((each) => graph.named(each));
  return [
    ...ids,
    ...(withNeeds ? graph.closure(ids) : []),
    ...(withDependents ? graph.dependents(ids) : []),
  ];
}

/** Names of images and tasks that a name, group or glob stands for. */
function namesFor(project: Project, name: string): readonly string[] {
  if (project.images.has(name) || project.tasks.has(name)) return [name];
  if (project.groups.has(name)) return membersOf(project, name, new Set());
  const known = [...project.images.keys(), ...project.tasks.keys(), ...project.groups.keys()];
  if (!/[*?[\]{}]/.test(name)) throw unknown(name, known);
  const pattern = globToRegExp(name);
  const matches = known.filter((each) => pattern.test(each));
  if (matches.length === 0) throw unknown(name, known);
  return [...new Set(matches.flatMap((each) => namesFor(project, each)))];
}

function membersOf(project: Project, group: string, seen: Set<string>): string[] {
  if (seen.has(group)) return [];
  seen.add(group);
  const members = project.groups.get(group) ?? [];
  return members.flatMap((each) =>
    project.groups.has(each) ? membersOf(project, each, seen) : [each]
  );
}

function unknown(name: string, known: readonly string[]): Error {
  const near = suggest(name, known);
  return usageFault(`Nothing is called "${name}"`, {
    next: near === undefined
      ? "run `images list` to see what is declared"
      : `did you mean "${near}"? \`images list\` shows all`,
  });
}

/** Names hold no `/`, so a star crosses everything. */
function globToRegExp(glob: string): RegExp {
  const source = glob.replace(/[.+^$()|\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")
    .replace(/\{([^}]*)\}/g, (_, list: string) => `(?:${list.replaceAll(",", "|")})`);
  return new RegExp(`^${source}$`);
}
