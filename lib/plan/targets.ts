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
 * Replaces globs among targets by the names that they match; what reads globs is loaded for them.
 *
 * @throws {Fault} when a glob is malformed or matches nothing.
 */
export async function expandGlobs(
  project: Project,
  targets: readonly string[],
): Promise<readonly string[]> {
  if (!targets.some(isGlob)) return targets;
  const { globMatcher } = await import("../files/glob.ts");
  const known = namesOf(project);
  return targets.flatMap((target) => {
    if (!isGlob(target)) return [target];
    const { name, before, after } = partsOf(target);
    const matches = known.filter(globMatcher(name));
    if (matches.length === 0) throw unknown(name, known);
    return matches.map((each) => `${before}${each}${after}`);
  });
}

/**
 * Resolves targets without globs; none means every image, and is strict only with `all`.
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
  const { name, before, after } = partsOf(target);
  const ids = namesFor(project, name).flatMap((each) => graph.named(each));
  return [
    ...ids,
    ...(after === "" ? [] : graph.closure(ids)),
    ...(before === "" ? [] : graph.dependents(ids)),
  ];
}

/** A target's name, and the dots that ask for what it needs (after) and what needs it (before). */
function partsOf(target: string): { name: string; before: string; after: string } {
  const after = target.length > 3 && target.endsWith(DOTS) ? DOTS : "";
  const before = target.length > 3 && target.startsWith(DOTS) ? DOTS : "";
  return { name: target.slice(before.length, target.length - after.length), before, after };
}

const DOTS = "...";

function isGlob(target: string): boolean {
  return /[*?[\]{}]/.test(target);
}

function namesOf({ images, tasks, groups }: Project): string[] {
  return [...images.keys(), ...tasks.keys(), ...groups.keys()];
}

/** Names of images and tasks that a name or group stands for. */
function namesFor(project: Project, name: string): readonly string[] {
  if (project.images.has(name) || project.tasks.has(name)) return [name];
  if (project.groups.has(name)) return membersOf(project, name);
  throw unknown(name, namesOf(project));
}

/** Without calls that nest as deep as groups do: there may be thousands in each other. */
function membersOf({ groups }: Project, group: string): string[] {
  const members: string[] = [];
  const seen = new Set<string>();
  const open = [group];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const inside = groups.get(name);
    if (inside === undefined) members.push(name);
    else open.push(...inside.toReversed());
  }
  return members;
}

function unknown(name: string, known: readonly string[]): Error {
  const near = suggest(name, known);
  return usageFault(`Nothing is called "${name}"`, {
    next: near === undefined
      ? "run `images list` to see what is declared"
      : `did you mean "${near}"? \`images list\` shows all`,
  });
}
