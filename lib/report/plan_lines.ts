/** A plan as text: what would be done, for what cause, and what follows from it. */

import type { ImageResult, Reason, ResultDocument, TaskResult } from "../model/result.ts";
import { destinationLines } from "./destinations.ts";
import type { Palette } from "./palette.ts";
import { printable } from "./printable.ts";
import { fit } from "./text.ts";
import { type Branch, type Row, treeRows } from "./tree.ts";
import { countOf, countsText, describeReason, duration, labelOf, shortName } from "./words.ts";

type Result = ImageResult | TaskResult;

/** How a plan is written. */
export interface PlanOptions {
  readonly palette: Palette;
  /** The most reasons of one node that are listed. */
  readonly limit: number;
  /** How long the last build of a node took, in milliseconds. */
  readonly lastTime: (result: Result) => number | undefined;
  /** Columns of the terminal it is shown in; elsewhere lines are as long as they are. */
  readonly columns: number | undefined;
}

/** Times below this are not worth a word, in milliseconds. */
const WORTH_TELLING = 1_000;

/** Columns of the longest verdict. */
const VERDICT = "unavailable".length;

/** Columns that are kept for tags where names are long. */
const TAG = 20;

/** Columns that names get at the least. */
const LEAST_NAME = 12;

/** Renders a plan. */
export function planLines(document: ResultDocument, options: PlanOptions): string[] {
  const results = [...document.tasks.filter((task) => matters(task, document)), ...document.images];
  const rows = treeRows(cascades(results));
  const { columns = Infinity } = options;
  const room = Math.max(LEAST_NAME, columns - VERDICT - TAG - 4);
  const names = rows.map(({ lead, value }) => {
    const name = labelOf(value, results);
    return lead + shortName(name, Math.max(LEAST_NAME, room - lead.length));
  });
  const width = Math.max(0, ...names.map((name) => name.length));
  const lines = rows.flatMap((row, at) => [
    ...rowLines(row, names[at]!.padEnd(width), results, options),
  ]);
  return [...lines, summary(document, options)];
}

/** A task runs only for what must be built: of others it does not matter what it would do. */
function matters(task: TaskResult, document: ResultDocument): boolean {
  const needing = <R extends Result>(all: readonly R[]) =>
    all.filter(({ needs }) => needs.includes(task.name));
  const images = needing(document.images);
  const tasks = needing(document.tasks);
  if (images.length + tasks.length === 0) return true;
  return images.some((image) => !isSettled(image)) ||
    tasks.some((each) => !isSettled(each) && matters(each, document));
}

function isSettled({ verdict }: Result): boolean {
  return verdict === "current" || verdict === "remote";
}

/** Each result below the first of its needs that makes it what it is. */
function cascades(results: readonly Result[]): Branch<Result>[] {
  const below = new Map<Result, Result[]>();
  const roots: Result[] = [];
  for (const result of results) {
    const cause = causeOf(result, results);
    if (cause === undefined) roots.push(result);
    else below.set(cause, [...below.get(cause) ?? [], result]);
  }
  const branch = (value: Result): Branch<Result> => ({
    value,
    children: (below.get(value) ?? []).map(branch),
  });
  return roots.map(branch);
}

function causeOf(result: Result, all: readonly Result[]): Result | undefined {
  return result.reasons.flatMap((reason) => neededBy(result, reason, all))
    .find((need) => need !== result && !isSettled(need));
}

/** The results that a reason speaks of, on the same platform. */
function neededBy(result: Result, { kind, path }: Reason, all: readonly Result[]): Result[] {
  if (kind !== "need-changed") return [];
  return all.filter((each) => {
    if (!("platform" in each)) return each.name === path;
    const here = "platform" in result && result.platform === each.platform;
    return here && (each.name === path || `${each.name}@${each.platform}` === path);
  });
}

function* rowLines(
  { value, below }: Row<Result>,
  name: string,
  all: readonly Result[],
  { palette, limit, columns = Infinity }: PlanOptions,
): Iterable<string> {
  const { verdict = "unknown", error, reasons } = value;
  const word = palette.status(verdict) + " ".repeat(VERDICT - verdict.length);
  const room = columns - name.length - VERDICT - 4;
  const tag = "tag" in value ? palette.dim(fit(value.tag ?? "", room)) : "";
  yield `${palette.name(name)}  ${word}  ${tag}`.trimEnd();
  const parent = causeOf(value, all);
  // What stands below its cause need not say that it waits for it.
  const told = reasons.filter((reason) => {
    const waits = reason.detail === "must be built first";
    return !(waits && parent !== undefined && neededBy(value, reason, all).includes(parent));
  });
  const indent = `${below}  `;
  for (const reason of told.slice(0, limit)) {
    yield `${indent}${printable(describeReason(reason), false)}`;
  }
  const more = told.length - limit;
  if (more > 0) {
    yield palette.dim(`${indent}and ${more} more; \`images why ${value.name}\` shows all`);
  }
  if (error !== undefined) {
    yield `${indent}${palette.error(printable(error.message, false))}`;
    if (error.next !== undefined) yield `${indent}next: ${error.next}`;
  }
  const destinations = "destinations" in value ? value.destinations ?? [] : [];
  for (const line of destinationLines(destinations, palette)) yield `${indent}${line}`;
}

/** How many of each, and how long what is to be built took before. */
function summary({ images }: ResultDocument, { palette, lastTime }: PlanOptions): string {
  const nodes = images.filter(({ platform }) => platform !== "index");
  const verdicts = nodes.map(({ verdict = "unknown" }) => ({ status: verdict }));
  const counts = countsText(countOf(verdicts)).replace(/\bbuild\b/, "to build") || "no images";
  const times = nodes.filter((each) => !isSettled(each)).flatMap((each) => lastTime(each) ?? []);
  const time = times.reduce((sum, each) => sum + each, 0);
  const past = time < WORTH_TELLING
    ? ""
    : `; what is to be built took ${duration(time)} the last time`;
  return palette.strong("plan:") + ` ${counts}${past}`;
}
