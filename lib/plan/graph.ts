/** The graph of one run: which nodes there are and what each one needs. */

import { usageFault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { Image, Project, Task } from "../model/recipe.ts";

/** One image on one platform. */
export interface ImageNode {
  readonly type: "image";
  readonly id: Subject;
  readonly image: Image;
  readonly platform: string;
  /** Ids of the nodes this one needs, in a stable order. */
  readonly needs: readonly Subject[];
}

/** One task. */
export interface TaskNode {
  readonly type: "task";
  readonly id: Subject;
  readonly task: Task;
  readonly needs: readonly Subject[];
}

/** A node of the graph. */
export type Node = ImageNode | TaskNode;

/** A project's nodes, what needs them, and how names lead to them. */
export class Graph {
  /** Every node by id, needs before what needs them. */
  readonly nodes: ReadonlyMap<Subject, Node>;
  readonly #byName: ReadonlyMap<string, readonly Subject[]>;
  readonly #order: ReadonlyMap<Subject, number>;

  constructor(nodes: ReadonlyMap<Subject, Node>, byName: ReadonlyMap<string, readonly Subject[]>) {
    this.nodes = nodes;
    this.#byName = byName;
    this.#order = new Map([...nodes.keys()].map((id, at) => [id, at]));
  }

  /** The nodes of an image (one for each platform) or task. */
  named(name: string): readonly Subject[] {
    return this.#byName.get(name) ?? [];
  }

  /** A node that must be there. */
  node(id: Subject): Node {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  /** Where a node stands in the order of `nodes`. */
  position(id: Subject): number {
    return this.#order.get(id)!;
  }

  /** These nodes and everything they need, in the order of `nodes`. */
  closure(ids: Iterable<Subject>): Subject[] {
    const wanted = new Set<Subject>();
    const open = [...ids];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (wanted.has(id)) continue;
      wanted.add(id);
      open.push(...this.node(id).needs);
    }
    return this.#inOrder(wanted);
  }

  /** These nodes and everything that needs them, in the order of `nodes`. */
  dependents(ids: Iterable<Subject>): Subject[] {
    const wanted = new Set(ids);
    for (const node of this.nodes.values()) {
      if (node.needs.some((need) => wanted.has(need))) wanted.add(node.id);
    }
    return this.#inOrder(wanted);
  }

  /** Sorts the few there are, for this is asked for each node of a large graph. */
  #inOrder(ids: ReadonlySet<Subject>): Subject[] {
    if (ids.size === this.nodes.size) return [...this.nodes.keys()];
    return [...ids].sort((a, b) => this.position(a) - this.position(b));
  }
}

/**
 * Builds the graph of a project.
 *
 * @param platform builds every image for this platform instead of its own ones.
 * @throws {Fault} when a need is not built for a platform it is needed on.
 */
export function graphOf(project: Project, platform?: string): Graph {
  const byName = new Map<string, Subject[]>();
  for (const task of project.tasks.values()) byName.set(task.name, [task.name]);
  for (const image of project.images.values()) {
    byName.set(
      image.name,
      platformsOf(image, platform).map((each) => nodeId(image, each, platform)),
    );
  }
  const nodes = new Map<Subject, Node>();
  const add = (name: string): void => {
    const task = project.tasks.get(name);
    if (task !== undefined) {
      nodes.set(name, { type: "task", id: name, task, needs: [...task.needs] });
      return;
    }
    const image = project.images.get(name)!;
    const needs = needsOf(image);
    for (const each of platformsOf(image, platform)) {
      const id = nodeId(image, each, platform);
      const resolve = (need: string) => needId(project, image, need, each, platform);
      nodes.set(id, { type: "image", id, image, platform: each, needs: needs.map(resolve) });
    }
  };
  // Needs first, without calls that nest as deep as needs do: there may be thousands in a row.
  const entered = new Set<string>();
  const open = [...byName.keys()].reverse();
  for (let name = open.at(-1); name !== undefined; name = open.at(-1)) {
    if (entered.has(name)) {
      open.pop();
      const [id] = byName.get(name)!;
      if (id !== undefined && !nodes.has(id)) add(name);
      continue;
    }
    entered.add(name);
    const needs = project.tasks.get(name)?.needs ?? needsOf(project.images.get(name)!);
    open.push(...needs.filter((need) => byName.has(need) && !entered.has(need)).reverse());
  }
  return new Graph(nodes, byName);
}

/** Names of everything an image needs: declared, or referred to by an option. */
export function needsOf(image: Image): string[] {
  return [...new Set([...image.common.needs, ...image.references])];
}

/** The platforms an image is built for in this run. */
export function platformsOf(image: Image, platform?: string): readonly string[] {
  return platform === undefined ? image.common.platforms : [platform];
}

function nodeId(image: Image, each: string, platform: string | undefined): Subject {
  return platformsOf(image, platform).length === 1 ? image.name : `${image.name}@${each}`;
}

function needId(
  project: Project,
  image: Image,
  need: string,
  each: string,
  platform: string | undefined,
): Subject {
  const needed = project.images.get(need);
  if (needed === undefined) return need;
  if (!platformsOf(needed, platform).includes(each)) {
    throw usageFault(`Image "${image.name}" needs "${need}" on ${each}, where it is not built`, {
      ...(image.place === undefined ? {} : { place: image.place }),
      next: `add "${each}" to the platforms of "${need}"`,
    });
  }
  return nodeId(needed, each, platform);
}
