/** From what became of nodes to the JSON document of design 4. */

import { contentTag } from "../model/key.ts";
import { type Fault, type Place, renderPlace } from "../model/errors.ts";
import type { RunEvent } from "../model/events.ts";
import type {
  DestinationResult,
  ErrorResult,
  ImageResult,
  ResultDocument,
  TaskResult,
} from "../model/result.ts";
import type { Settled, SettledImage, SettledIndex, SettledTask } from "./settled.ts";

/** What a command's outcome is made of. */
export interface Outcome {
  readonly settled: readonly Settled[];
  readonly indexes: readonly SettledIndex[];
  /** Of a push: node or image name → where it was published. */
  readonly destinations?: ReadonlyMap<string, readonly DestinationResult[]>;
  /** Of a push: the same names → why it was not published. */
  readonly faults?: ReadonlyMap<string, Fault>;
}

/** The document of a command. */
export function resultDocument(command: string, outcome: Outcome, ms: number): ResultDocument {
  const { settled, indexes } = outcome;
  const images: ImageResult[] = [];
  const tasks: TaskResult[] = [];
  for (const each of settled) {
    if (each.node.type === "task") tasks.push(taskResult(each as SettledTask));
    else images.push(published(imageResult(each as SettledImage), outcome, each.node.id));
  }
  for (const index of indexes) images.push(published(indexResult(index), outcome, index.name));
  const all = [...images, ...tasks];
  const failed = all.some((each) => each.error !== undefined && each.status !== "unavailable");
  const unpublished = images.some((each) =>
    each.destinations?.some((destination) => destination.status === "failed")
  );
  return {
    schema: 1,
    command,
    ok: !failed && !unpublished,
    images,
    tasks,
    totals: totalsOf(all),
    ms: Math.round(ms),
  };
}

/** An entry with where it was published, and why not. */
function published(result: ImageResult, { destinations, faults }: Outcome, id: string) {
  const where = destinations?.get(id);
  const fault = faults?.get(id);
  return {
    ...result,
    ...(fault === undefined ? {} : { error: errorResult(fault) }),
    ...(where === undefined ? {} : { destinations: where }),
  };
}

/** How long the builds took that a run did not have to repeat, in milliseconds. */
export function savedTime({ settled }: Outcome): number {
  return settled.reduce((sum, each) => sum + (each.saved ?? 0), 0);
}

/** What is told of a node that is settled. */
export function finished(settled: Settled): Omit<RunEvent & { kind: "finished" }, "at"> {
  const { node, fault } = settled;
  return {
    kind: "finished",
    id: node.id,
    type: node.type,
    result: node.type === "image"
      ? imageResult(settled as SettledImage)
      : taskResult(settled as SettledTask),
    ...(fault === undefined ? {} : { fault, ...placeOf(node) }),
  };
}

/** Where a node was declared; finding it takes a while, so it is asked for only after a fault. */
function placeOf(node: Settled["node"]): { readonly place?: Place } {
  const { place } = node.type === "image" ? node.image : node.task;
  return place === undefined ? {} : { place };
}

/** One image's entry. */
export function imageResult(settled: SettledImage): ImageResult {
  const { node, key, record, status, verdict, reasons, fault } = settled;
  return {
    name: node.image.name,
    platform: node.platform,
    plugin: node.image.plugin.name,
    ...(key === undefined ? {} : { key, tag: contentTag(key) }),
    ...(record === undefined ? {} : { digest: record.manifest.digest, imageId: record.imageId }),
    ...(status === undefined ? { ...(verdict === undefined ? {} : { verdict }) } : { status }),
    reasons,
    needs: node.needs,
    ms: Math.round(settled.ms),
    ...(fault === undefined ? {} : { error: errorResult(fault) }),
  };
}

/** One task's entry. */
export function taskResult(settled: SettledTask): TaskResult {
  const { node, key, status, verdict, reasons, fault } = settled;
  return {
    name: node.id,
    ...(key === undefined ? {} : { key }),
    ...(status === undefined ? { ...(verdict === undefined ? {} : { verdict }) } : { status }),
    reasons,
    needs: node.needs,
    ms: Math.round(settled.ms),
    ...(fault === undefined ? {} : { error: errorResult(fault) }),
  };
}

function indexResult(index: SettledIndex): ImageResult {
  const { name, plugin, key, digest, status, verdict, needs, fault } = index;
  return {
    name,
    platform: "index",
    plugin,
    ...(key === undefined ? {} : { key, tag: contentTag(key) }),
    ...(digest === undefined ? {} : { digest }),
    ...(status === undefined ? { ...(verdict === undefined ? {} : { verdict }) } : { status }),
    reasons: [],
    needs,
    ms: 0,
    ...(fault === undefined ? {} : { error: errorResult(fault) }),
  };
}

/** An error as data. */
export function errorResult(fault: Fault): ErrorResult {
  const where = fault.place === undefined ? fault.where : renderPlace(fault.place);
  return {
    message: fault.message,
    ...(where === undefined ? {} : { where }),
    ...(fault.next === undefined ? {} : { next: fault.next }),
    ...(fault.log === undefined ? {} : { log: fault.log }),
  };
}

function totalsOf(all: readonly (ImageResult | TaskResult)[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { status, verdict } of all) {
    const word = status ?? verdict;
    if (word !== undefined) totals[word] = (totals[word] ?? 0) + 1;
  }
  return totals;
}
