/** The last run that did something, kept for `images report`. */

import { isObject } from "../dsl/shape.ts";
import type { RunEvent, Subject } from "../model/events.ts";
import type { ResultDocument } from "../model/result.ts";
import { writeAtomic } from "../store/atomic.ts";
import type { State } from "../store/state.ts";
import { type Step, Timeline } from "./timeline.ts";
import { readRegularText } from "../util/regular_file.ts";

/** Raised when the shape changes; other records are as good as none. */
const SCHEMA = 1;

/** What is kept of a run. Times are milliseconds since it began. */
export interface RunRecord {
  readonly schema: typeof SCHEMA;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly nodes: (RunEvent & { readonly kind: "began" })["nodes"];
  /** What was worked at when, in the order it began. */
  readonly spans: readonly Span[];
  readonly notices: readonly RunNotice[];
  /** The lines of a file that a node's failure is about. */
  readonly excerpts: Readonly<Record<Subject, string>>;
  /** The nodes that the run had to wait for, the first one first. */
  readonly criticalPath: readonly Step[];
  readonly document: ResultDocument;
  /** Exit status. */
  readonly status: number;
  /** How long the builds took that it did not have to repeat, in milliseconds. */
  readonly saved: number;
}

/** A time in which a node was worked at. */
export interface Span {
  readonly id: Subject;
  /** e.g. `building`, `publishing`. */
  readonly phase: string;
  readonly from: number;
  readonly to: number;
}

/** Something people were told that was no failure. */
export interface RunNotice {
  readonly at: number;
  readonly id?: Subject;
  readonly message: string;
}

/** Takes the events of one run, and keeps it if anything was done in it. */
export class Recorder {
  readonly #state: State;
  readonly #spans: Span[] = [];
  readonly #open = new Map<Subject, Omit<Span, "to">>();
  readonly #notices: RunNotice[] = [];
  readonly #excerpts: Record<Subject, string> = {};
  readonly #timeline = new Timeline();
  #nodes: RunRecord["nodes"] = [];

  constructor(state: State) {
    this.#state = state;
  }

  /** Takes one event. */
  readonly sink = (event: RunEvent): void => {
    this.#timeline.apply(event);
    switch (event.kind) {
      case "began":
        this.#nodes = event.nodes;
        break;
      case "started": {
        const { id, phase, at } = event;
        this.#close(id, at);
        this.#open.set(id, { id, phase, from: at });
        break;
      }
      case "finished":
        this.#close(event.id, event.at);
        if (event.fault?.excerpt !== undefined) this.#excerpts[event.id] = event.fault.excerpt;
        break;
      case "published":
      case "loaded":
        this.#close(event.id, event.at);
        break;
      case "notice": {
        const { at, id, message } = event;
        this.#notices.push({ at, message, ...(id === undefined ? {} : { id }) });
        break;
      }
      case "ended":
        this.#ended(event);
        break;
    }
  };

  #close(id: Subject, at: number): void {
    const span = this.#open.get(id);
    if (span === undefined) return;
    this.#open.delete(id);
    this.#spans.push({ ...span, to: at });
  }

  /** A run that found everything up to date leaves the record of the last one that did not. */
  #ended({ document, at, status, saved }: RunEvent & { readonly kind: "ended" }): void {
    for (const id of [...this.#open.keys()]) this.#close(id, at);
    if (this.#spans.length === 0 && document.ok) return;
    const record: RunRecord = {
      schema: SCHEMA,
      at: Date.now() - Math.round(at),
      nodes: this.#nodes,
      spans: this.#spans.sort((a, b) => a.from - b.from),
      notices: this.#notices,
      excerpts: this.#excerpts,
      criticalPath: this.#timeline.criticalPath(),
      document,
      status,
      saved,
    };
    this.#state.prepare();
    writeAtomic(this.#state.lastRun, JSON.stringify(record));
  }
}

/** The last run that did something; undefined where none is kept. */
export function readLastRun(state: State): RunRecord | undefined {
  try {
    const record: unknown = JSON.parse(readRegularText(state.lastRun));
    return isRunRecord(record) ? record : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isRunRecord(value: unknown): value is RunRecord {
  if (!isObject(value)) return false;
  const { schema, nodes, spans, notices, criticalPath, excerpts, document } = value as Partial<
    RunRecord
  >;
  return schema === SCHEMA && [nodes, spans, notices, criticalPath].every(Array.isArray) &&
    isObject(excerpts) && isObject(document) &&
    [document.images, document.tasks].every(Array.isArray);
}
