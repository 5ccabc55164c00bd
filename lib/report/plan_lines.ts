/** A plan as text: what would be done, for what cause, and what follows from it. */

import type { ImageResult, Reason, ResultDocument, TaskResult } from "../model/result.ts";
import { destinationLines } from "./destinations.ts";
import { errorMessage } from "./faults.ts";
import type { Palette } from "./palette.ts";
import { printable } from "./printable.ts";
import { fit } from "./text.ts";
import { type Branch, type Row, treeRows } from "./tree.ts";
import { countOf, countsText, describeReason, duration, labelsOf, shortName } from "./words.ts";

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
  const results = [...document.tasks.filter(mattering(document)), ...document.images];
  const known = byName(results);
  const rows = treeRows(cascades(results, known));
  const labelOf = labelsOf(results);
  const { columns = Infinity } = options;
  const room = Math.max(LEAST_NAME, columns - VERDICT - TAG - 4);
  const names = rows.map(({ lead, value }) => {
    const name = labelOf(value);
    return lead + shortName(name, Math.max(LEAST_NAME, room - lead.length));
  });
  const width = Math.max(0, ...names.map((name) => name.length));
  const lines = rows.flatMap((row, at) => [
    ...rowLines(row, names[at]!.padEnd(width), known, options),
  ]);
  return [...lines, summary(document, options)];
}

/**
 * Says which tasks matter: one runs only for what must be built, and of others it does not matter
 * what it would do.
 */
function mattering({ tasks, images }: ResultDocument): (task: TaskResult) => boolean {
  const users = new Map<string, Result[]>();
  for (const result of [...tasks, ...images]) {
    for (const need of result.needs) addTo(users, need, result);
  }
  const answers = new Map<string, boolean>();
  // What needs a task comes after it.
  for (const { name } of tasks.toReversed()) {
    const needing = users.get(name);
    const answer = needing === undefined ||
      needing.some((each) => !isSettled(each) && ("platform" in each || answers.get(each.name)));
    answers.set(name, answer);
  }
  return ({ name }) => answers.get(name) ?? true;
}

function isSettled({ verdict }: Result): boolean {
  return verdict === "current" || verdict === "remote";
}

/** Each result below the first of its needs that makes it what it is. */
function cascades(results: readonly Result[], known: ByName): Branch<Result>[] {
  const below = Map.groupBy(results, (result) => causeOf(result, known));
  const branch = (value: Result): Branch<Result> => ({
    value,
    children: () => (below.get(value) ?? []).map(branch),
  });
  return (below.get(undefined) ?? []).map(branch);
}

/** Results by the names that reasons give them. */
type ByName = ReadonlyMap<string, readonly Result[]>;

function byName(results: readonly Result[]): ByName {
  const known = new Map<string, Result[]>();
  for (const result of results) {
    addTo(known, result.name, result);
    if ("platform" in result) addTo(known, `${result.name}@${result.platform}`, result);
  }
  return known;
}

function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function causeOf(result: Result, known: ByName): Result | undefined {
  return result.reasons.flatMap((reason) => neededBy(result, reason, known))
    .find((need) => need !== result && !isSettled(need));
}

/** The results that a reason speaks of, on the same platform. */
function neededBy(result: Result, { kind, path = "" }: Reason, known: ByName): readonly Result[] {
  if (kind !== "need-changed") return [];
  return (known.get(path) ?? []).filter((each) =>
    !("platform" in each) || ("platform" in result && result.platform === each.platform)
  );
}

function* rowLines(
  { value, below }: Row<Result>,
  name: string,
  known: ByName,
  { palette, limit, columns = Infinity }: PlanOptions,
): Iterable<string> {
  const { verdict = "unknown", error, reasons } = value;
  const word = palette.status(verdict) + " ".repeat(VERDICT - verdict.length);
  const room = columns - name.length - VERDICT - 4;
  const tag = "tag" in value ? palette.dim(fit(value.tag ?? "", room)) : "";
  yield `${palette.name(name)}  ${word}  ${tag}`.trimEnd();
  const parent = causeOf(value, known);
  // What stands below its cause need not say that it waits for it.
  const told = reasons.filter((reason) => {
    const waits = reason.detail === "must be built first";
    return !(waits && parent !== undefined && neededBy(value, reason, known).includes(parent));
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
    const ids = [value.name, ..."platform" in value ? [`${value.name}@${value.platform}`] : []];
    const message = printable(errorMessage(error, ids), false);
    const { next } = error;
    if (verdict === "unavailable") {
      yield `${indent}${next === undefined ? message : `${message}: ${printable(next, false)}`}`;
    } else {
      yield `${indent}${palette.error(message)}`;
      if (next !== undefined) yield `${indent}next: ${next}`;
    }
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
