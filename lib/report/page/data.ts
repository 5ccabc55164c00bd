/** What the page shows, gathered from the run's record and from the project's state. */

import type { Digest } from "../../model/digest.ts";
import type { Subject } from "../../model/events.ts";
import type { ImageResult, TaskResult } from "../../model/result.ts";
import { parseConfig, parseManifest } from "../../oci/documents.ts";
import { makersOf } from "../../oci/inspect.ts";
import { Layout } from "../../store/layout.ts";
import type { State } from "../../store/state.ts";
import type { RunNotice, RunRecord, Span } from "../last_run.ts";
import { labelsOf } from "../words.ts";
import { readRegularText } from "../../util/regular_file.ts";

/** Everything that the page shows. */
export interface PageData {
  /** Name of the project's folder. */
  readonly project: string;
  readonly record: RunRecord;
  /** Images and tasks, in the order of the results. */
  readonly nodes: readonly PageNode[];
}

/** An image on one platform, an index, or a task. */
export interface PageNode {
  readonly id: Subject;
  /** What the page calls it in links. */
  readonly anchor: string;
  readonly type: "image" | "task" | "index";
  readonly result: ImageResult | TaskResult;
  /** Ids of the nodes it needs. */
  readonly needs: readonly Subject[];
  readonly spans: readonly Span[];
  readonly notices: readonly RunNotice[];
  readonly excerpt?: string;
  readonly layers?: readonly PageLayer[];
  readonly log?: PageLog;
}

/** The nodes that the run had to wait for; one alone is no path. */
export function criticalIds({ criticalPath }: RunRecord): ReadonlySet<Subject> {
  return new Set(criticalPath.length > 1 ? criticalPath.map(({ id }) => id) : []);
}

/** How long a node was worked at, in milliseconds. */
export function workOf({ spans }: PageNode): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** A layer of an image that is known here. */
export interface PageLayer {
  readonly digest: Digest;
  /** In bytes, as it is stored here. */
  readonly size: number;
  readonly createdBy?: string;
}

/** What a build printed. */
export interface PageLog {
  readonly lines: readonly string[];
  /** Lines in front of these that are not shown. */
  readonly dropped: number;
  /** The file that has all of it, relative to the project. */
  readonly path: string;
}

/** The most lines of one log that the page carries. */
const LOG_LINES = 2_000;

/** The most characters of one line that it carries. */
const LINE_LENGTH = 2_000;

/** Gathers what the page shows. */
export async function gather(root: string, state: State, record: RunRecord): Promise<PageData> {
  const layout = new Layout(state);
  const results = [...record.document.tasks, ...record.document.images];
  const needs = new Map(record.nodes.map((node) => [node.id, node.needs]));
  const labelOf = labelsOf(results);
  const nodes = await Promise.all(results.map(async (result, at): Promise<PageNode> => {
    const id = labelOf(result);
    const type = !("platform" in result) ? "task" : result.platform === "index" ? "index" : "image";
    const spans = record.spans.filter((span) => span.id === id);
    const excerpt = record.excerpts[id];
    const layers = type === "image" ? await layersOf(layout, result as ImageResult) : undefined;
    const log = spans.length === 0 ? undefined : readLog(root, state, id, record.at);
    return {
      ...{ id, anchor: `n${at}`, type, result, spans },
      needs: needs.get(id) ?? result.needs,
      notices: record.notices.filter((notice) => notice.id === id),
      ...(excerpt === undefined ? {} : { excerpt }),
      ...(layers === undefined ? {} : { layers }),
      ...(log === undefined ? {} : { log }),
    };
  }));
  const project = root.slice(root.lastIndexOf("/") + 1);
  return { project, record, nodes };
}

/** The layers of an image whose manifest and config are here. */
async function layersOf(
  layout: Layout,
  { digest, name }: ImageResult,
): Promise<readonly PageLayer[] | undefined> {
  if (digest === undefined || !layout.has(digest)) return undefined;
  const { config, layers } = parseManifest(await layout.read(digest), name);
  if (!layout.has(config.digest)) return layers.map(({ digest, size }) => ({ digest, size }));
  const makers = makersOf(parseConfig(await layout.read(config.digest), name), layers.length);
  return layers.map(({ digest, size }, at) => ({
    ...{ digest, size },
    ...(makers[at] === undefined ? {} : { createdBy: makers[at] }),
  }));
}

/** What a node printed in a run; a log that is older than the run is of another one. */
function readLog(root: string, state: State, id: Subject, since: number): PageLog | undefined {
  const file = state.log(id);
  const text = readIfNewer(file, since);
  if (text === undefined) return undefined;
  const lines = text.replace(/\n$/, "").split("\n");
  const dropped = Math.max(0, lines.length - LOG_LINES);
  return {
    lines: lines.slice(dropped).map((line) => cut(lastState(line))),
    dropped,
    path: file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file,
  };
}

function readIfNewer(file: string, since: number): string | undefined {
  try {
    const { mtime } = Deno.statSync(file);
    return mtime !== null && mtime.getTime() >= since ? readRegularText(file) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A line that was written over again and again, as progress is, is seen as it was at last. */
function lastState(line: string): string {
  return line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
}

function cut(line: string): string {
  return line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}…` : line;
}
