/** The last lines of a run: what became of everything, what it waited for, what it saved. */

import type { RunEvent } from "../model/events.ts";
import { CONTENT_TAG_PREFIX } from "../model/key.ts";
import type { ImageResult, ResultDocument, TaskResult } from "../model/result.ts";
import type { Board } from "./board.ts";
import { errorMessage, shown } from "./faults.ts";
import type { Palette } from "./palette.ts";
import { countOf, countsText, duration, labelsOf, namesText, size } from "./words.ts";

/** The most steps of a critical path that are named. */
const LONGEST_PATH = 16;

type Result = ImageResult | TaskResult;

/** The lines that end a run; quietly, only those about what is missing. */
export function closing(
  event: RunEvent & { readonly kind: "ended" },
  board: Board,
  palette: Palette,
  quiet = false,
): string[] {
  const results = [...event.document.tasks, ...event.document.images];
  if (quiet) return event.status === 3 ? notTried(results, "unavailable", palette) : [];
  return [
    ...untried(event.document, palette),
    ...failures(results, palette),
    ...published(event.document, board, palette),
    headline(event, board, palette),
    ...criticalPath(board, palette),
  ];
}

/** What a run did not try, and why. */
export function untried({ tasks, images }: ResultDocument, palette: Palette): string[] {
  const results = [...tasks, ...images];
  return [
    ...notTried(results, "skipped", palette),
    ...notTried(results, "unavailable", palette),
  ];
}

/** What became of everything in one line. */
function headline(
  { document, status, saved }: RunEvent & { readonly kind: "ended" },
  board: Board,
  palette: Palette,
): string {
  if (isPlanned(document)) {
    const verdicts = document.images.filter((each) => each.platform !== "index")
      .map(({ verdict = "unknown" }) => ({ status: verdict }));
    const counts = countsText(countOf(verdicts)).replace(/\bbuild\b/, "to build");
    return `${palette.strong("dry run")}: ${counts}; nothing was done`;
  }
  const counts = outcomes(document) || "nothing to do";
  const gain = saved < 1 ? "" : palette.dim(` (${duration(saved)} saved)`);
  return `${head(document, status, board, palette)}: ${counts} in ${duration(document.ms)}${gain}`;
}

/** Nothing was settled: it is only said what would be. */
function isPlanned({ images }: ResultDocument): boolean {
  return images.some(({ verdict, status }) => verdict !== undefined && status === undefined);
}

/** How many images of each status, and how many tasks ran for them. */
function outcomes({ images, tasks }: ResultDocument): string {
  const built = images.filter((each) => each.platform !== "index");
  const ran = tasks.filter((each) => each.status === "built").length;
  const failed = tasks.filter((each) => each.status === "failed").length;
  return [
    countsText(countOf(built)),
    ...(ran === 0 ? [] : [`${ran} ${ran === 1 ? "task" : "tasks"} run`]),
    ...(failed === 0 ? [] : [`${failed} ${failed === 1 ? "task" : "tasks"} failed`]),
  ].filter((part) => part !== "").join(", ");
}

function head(document: ResultDocument, status: number, board: Board, palette: Palette): string {
  if (status === 130) return palette.notice("interrupted");
  if (!document.ok) return palette.error("failed");
  return palette.strong(board.worked || document.totals.remote ? "done" : "up to date");
}

/** What went where: content first, then the mutable tags on it. */
function published(document: ResultDocument, board: Board, palette: Palette): string[] {
  const destinations = document.images.flatMap((image) => image.destinations ?? []);
  if (destinations.length === 0) return [];
  // The content tag of what must be built first is not known yet, and the reference has none.
  const isContent = ({ reference }: { readonly reference: string }) =>
    reference.includes(`:${CONTENT_TAG_PREFIX}`) ||
    reference.lastIndexOf(":") < reference.lastIndexOf("/");
  const content = countsText(countOf(destinations.filter(isContent)));
  const tags = countsText(countOf(destinations.filter((each) => !isContent(each))));
  const registries = [...new Set(destinations.map((each) => each.registry))].join(", ");
  const parts = [
    ...(content === "" ? [] : [content]),
    ...(tags === "" ? [] : [`tags: ${tags}`]),
    ...(board.uploaded === 0 ? [] : [`${size(board.uploaded)} uploaded`]),
  ];
  const would = isPlanned(document) ? " would have" : ":";
  return [`${palette.name(registries)}${would} ${parts.join("; ")}`];
}

/** Where several builds waited for each other, the chain that took longest. */
function criticalPath(board: Board, palette: Palette): string[] {
  const path = board.criticalPath;
  if (path.length < 2) return [];
  const steps = path.map(({ id, ms }) => `${id} ${duration(ms)}`);
  if (steps.length > LONGEST_PATH) {
    steps.splice(
      LONGEST_PATH / 2,
      steps.length - LONGEST_PATH,
      `${steps.length - LONGEST_PATH} more`,
    );
  }
  return [palette.dim(`critical path: ${steps.join(" → ")}`)];
}

/** What is wrong with an index is told of its platforms. */
function isIndex(result: Result): boolean {
  return "platform" in result && result.platform === "index";
}

/** What was not tried, together where it is for the same reason. */
function notTried(
  results: readonly Result[],
  status: "skipped" | "unavailable",
  palette: Palette,
): string[] {
  const labelOf = labelsOf(results);
  const left = results.flatMap((each) => {
    if (each.status !== status || each.error === undefined || isIndex(each)) return [];
    const label = labelOf(each);
    return [{ label, message: errorMessage(each.error, [label]), next: each.error.next }];
  });
  const groups = Map.groupBy(left, ({ message, next = "" }) => `${message}\n${next}`);
  return [...groups.values()].flatMap((group) => {
    const { message, next } = group[0]!;
    const names = namesText(group.map(({ label }) => label));
    const line = `${palette.status(status)} ${names}: ${message}`;
    if (next === undefined) return [line];
    return status === "unavailable" ? [`${line}: ${next}`] : [line, `  next: ${next}`];
  });
}

/** What failed, once more: its own lines may be far above by now. */
function failures(results: readonly Result[], palette: Palette): string[] {
  if (results.length < 2) return [];
  const labelOf = labelsOf(results);
  return results.filter((each) => each.status === "failed" && !isIndex(each)).map((each) => {
    const { message = "", log } = each.error ?? {};
    const where = log === undefined ? "" : ` (log: ${shown(log)})`;
    return `${palette.status("failed")} ${labelOf(each)}: ${message}${where}`;
  });
}
