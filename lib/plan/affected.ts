/** Which names changed files can touch: a superset, found without hashing or building anything. */

import { resolve } from "@std/path";
import { fixedPaths } from "../files/links.ts";
import { holderOfOthers, toucherOf } from "../files/touch.ts";
import { onTheWay, type Way, wayTo } from "../files/way.ts";
import { asFault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { Project } from "../model/recipe.ts";
import type { Reason } from "../model/result.ts";
import type { Selection } from "../model/selection.ts";
import type { Circumstances } from "./circumstances.ts";
import { describeImage } from "./evaluate_image.ts";
import { inputsOf, withoutOf } from "./evaluate_task.ts";
import type { ImageNode, Node, TaskNode } from "./graph.ts";

/** What has changed. */
interface Changes {
  /** Relative to the project's folder. */
  readonly paths: readonly string[];
  /** Says whether there is anything below a folder that has not changed. */
  readonly holdsOthers: (folder: string) => boolean;
}

/** What decides how images.ts itself is run. */
const CONFIGURATION = ["deno.json", "deno.jsonc", "deno.lock"];

/** A node that the changes can touch, and through what. */
export interface Affected {
  readonly node: Node;
  readonly reasons: readonly Reason[];
}

/**
 * The nodes that changed paths can touch, in the graph's order: by their inputs, by what describes
 * them, or by what they need.
 *
 * @param paths relative to the project's folder.
 */
export async function affectedBy(c: Circumstances, paths: readonly string[]): Promise<Affected[]> {
  const changes = { paths, holdsOthers: holderOfOthers(c.project.root, paths) };
  const everywhere = changesOfTheWhole(c.project, paths);
  const reached = new Map<Subject, Affected>();
  for (const node of c.graph.nodes.values()) {
    const own = everywhere.length > 0 ? everywhere : await ownReasons(c, node, changes);
    const needs = node.needs.filter((need) => reached.has(need))
      .map((path): Reason => ({ kind: "need-changed", path }));
    const reasons = [...own, ...needs];
    if (reasons.length > 0) reached.set(node.id, { node, reasons });
  }
  return [...reached.values()];
}

/** images.ts, the modules it imports, and what they are run with can change every recipe. */
function changesOfTheWhole(project: Project, paths: readonly string[]): Reason[] {
  const ways = [
    ...project.modules.map((path) => wayTo("/", path)),
    ...CONFIGURATION.map((name) => wayTo(project.root, name)),
  ];
  const isPassed = onTheWay(ways);
  const own = ["../../lib/", "../../plugins/"].map((folder) =>
    decodeURIComponent(new URL(folder, import.meta.url).pathname)
  );
  return paths.filter((path) => {
    const absolute = resolve(project.root, path);
    return CONFIGURATION.includes(path.replace(/^(?:\.\.\/)+/, "")) || isPassed(absolute) ||
      own.some((folder) => absolute.startsWith(folder));
  }).map(changed);
}

function ownReasons(c: Circumstances, node: Node, changes: Changes) {
  return node.type === "task" ? taskReasons(c, node, changes) : imageReasons(c, node, changes);
}

async function taskReasons(
  c: Circumstances,
  node: TaskNode,
  changes: Changes,
): Promise<Reason[]> {
  const touches = await touchersOf(c, inputsOf(c, node.task), withoutOf(c, node), changes);
  const isPassed = onTheWay(linksTo(c, node.task.inputs ?? []));
  return changes.paths.filter((path) =>
    isPassed(resolve(c.project.root, path)) || touches.some((each) => each(path))
  ).map(changed);
}

function touchersOf(
  c: Circumstances,
  selections: readonly Selection[],
  without: readonly string[],
  { holdsOthers }: Changes,
): Promise<((path: string) => boolean)[]> {
  const { root } = c.project;
  return Promise.all(selections.map((each) => toucherOf(root, each, without, holdsOthers)));
}

function waysTo(c: Circumstances, paths: readonly string[]): Way[] {
  return paths.map((path) => wayTo(c.project.root, path));
}

/** The ways of globs that go through links; the others' files are selected anyway. */
function linksTo(c: Circumstances, globs: readonly string[]): Way[] {
  return waysTo(c, fixedPaths(globs)).filter(({ links }) => links.length > 0);
}

/** An image that cannot be described, or whose inputs are not known yet, may depend on anything. */
async function imageReasons(
  c: Circumstances,
  node: ImageNode,
  changes: Changes,
): Promise<Reason[]> {
  const { paths } = changes;
  try {
    const { description, selections, without } = await describeImage(c, node);
    const { reads = [], bases = [], guard, undiscovered } = description;
    if (undiscovered && paths.length > 0) {
      const detail = "what goes in is known once it has been built or planned";
      return [{ kind: "input-changed", detail }];
    }
    const named = reads.filter((each) => typeof each === "string");
    const read = reads.filter((each) => typeof each !== "string");
    const seen = [...selections, ...guard?.trees ?? [], ...read];
    const touches = await touchersOf(c, seen, without, changes);
    const isPassed = onTheWay([
      ...waysTo(c, [...named, ...(bases.length > 0 ? ["images.lock"] : [])]),
      ...linksTo(c, node.image.common.inputs),
      ...(guard?.files ?? []).map((path) => wayTo("/", path)),
    ]);
    return paths.filter((path) =>
      isPassed(resolve(c.project.root, path)) || touches.some((each) => each(path))
    ).map(changed);
  } catch (error) {
    const detail = `what goes in cannot be told: ${asFault(error).message}`;
    return paths.length === 0 ? [] : [{ kind: "input-changed", detail }];
  }
}

function changed(path: string): Reason {
  return { kind: "input-changed", path };
}
