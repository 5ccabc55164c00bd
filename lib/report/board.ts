/** What is known of a run at a moment, put together from its events. */

import type { RunEvent, Subject } from "../model/events.ts";
import type { Progress } from "../model/plugin.ts";
import type { BuildStatus, Reason } from "../model/result.ts";
import { isNews } from "./destinations.ts";
import { type Step, Timeline } from "./timeline.ts";

/** Something that is going on. */
export interface Activity {
  readonly id: Subject;
  /** `building`, `layer 3/7`, `uploading` … */
  readonly phase: string;
  /** When it began, in milliseconds since the run did. */
  readonly since: number;
  readonly reasons: readonly Reason[];
  /** What is told beside the phase. */
  readonly detail?: string;
  /** How long it took the last time, in milliseconds. */
  readonly expected?: number;
  readonly transfer?: Transfer;
}

/** Bytes on their way. */
export interface Transfer {
  readonly phase: string;
  readonly done: number;
  readonly total?: number;
  /** Bytes a second, over the last seconds; undefined before there is anything to go by. */
  readonly rate?: number;
}

/** How far back a rate looks, in milliseconds. */
const RATE_WINDOW = 3_000;

/** The state of one run. */
export class Board {
  readonly #timeline = new Timeline();
  readonly #running = new Map<Subject, Activity>();
  /** What is being done, not only looked at. */
  readonly #begun = new Set<Subject>();
  readonly #samples = new Map<Subject, { at: number; done: number }[]>();
  /** Node → its place in the graph. */
  readonly #order = new Map<Subject, number>();
  readonly #images = new Set<Subject>();
  readonly #settled = new Set<Subject>();
  readonly #uploaded = new Map<Subject, number>();
  #failed = 0;
  #worked = 0;
  #nameWidth = 0;

  /** What is going on, in the order of the graph: a line does not move while others come and go. */
  get running(): readonly Activity[] {
    const place = ({ id }: Activity) => this.#order.get(id) ?? this.#order.size;
    return [...this.#running.values()].sort((a, b) => place(a) - place(b));
  }

  /** When what is going on with a node began, if anything is. */
  since(id: Subject): number | undefined {
    return this.#running.get(id)?.since;
  }

  /** How many images take part. */
  get total(): number {
    return this.#images.size;
  }

  /** How many images are settled. */
  get settled(): number {
    return this.#settled.size;
  }

  /** How many images neither are settled nor are being worked at. */
  get waiting(): number {
    return [...this.#images].filter((id) => !this.#settled.has(id) && !this.#running.has(id))
      .length;
  }

  /** How many images and tasks failed. */
  get failed(): number {
    return this.#failed;
  }

  /** Whether anything was built, run, published or failed, or is being. */
  get worked(): boolean {
    return this.#worked > 0 || this.#failed > 0;
  }

  /** Length of the longest name. */
  get nameWidth(): number {
    return this.#nameWidth;
  }

  /** Bytes that went to registries. */
  get uploaded(): number {
    return [...this.#uploaded.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The chain of builds that the run had to wait for. */
  get criticalPath(): readonly Step[] {
    return this.#timeline.criticalPath();
  }

  /** Takes one event. */
  apply(event: RunEvent): void {
    switch (event.kind) {
      case "began":
        for (const { id, type } of event.nodes) {
          this.#order.set(id, this.#order.size);
          if (type === "image") this.#images.add(id);
          this.#nameWidth = Math.max(this.#nameWidth, id.length);
        }
        break;
      case "started":
        this.#start(event);
        break;
      case "progress":
        this.#progress(event.id, event.progress, event.at);
        break;
      case "finished":
        this.#finish(event.id, event.result.status);
        break;
      case "loaded":
        this.#running.delete(event.id);
        break;
      case "published":
        if (isNews(event.destinations)) this.#worked += 1;
        // Each platform is uploaded under its own name, and published with the others.
        for (const id of this.#running.keys()) {
          if (id === event.id || id.startsWith(`${event.id}@`)) this.#running.delete(id);
        }
        break;
    }
    this.#timeline.apply(event);
  }

  #start({ id, at, phase, reasons = [], ...rest }: RunEvent & { kind: "started" }): void {
    // What is published may turn out to be there.
    if (phase !== "publishing") this.#worked += 1;
    this.#begun.add(id);
    this.#samples.delete(id);
    this.#running.set(id, {
      id,
      phase,
      since: at,
      reasons,
      ...(rest.detail === undefined ? {} : { detail: rest.detail }),
      ...(rest.expected === undefined ? {} : { expected: rest.expected }),
    });
  }

  #progress(id: Subject, progress: Progress, at: number): void {
    const { phase, done, total, unit } = progress;
    const before = this.#running.get(id) ?? { id, phase, since: at, reasons: [] };
    if (unit !== "bytes" || done === undefined) {
      const { transfer: _, ...rest } = before;
      this.#samples.delete(id);
      this.#running.set(id, { ...rest, phase: stepText(progress) });
      return;
    }
    // What is read before anything is begun may turn out to be all there is to do.
    if (done === total && !this.#begun.has(id)) {
      this.#running.delete(id);
      return;
    }
    if (phase === "uploading") this.#uploaded.set(id, done);
    const rate = this.#rate(id, before.transfer?.phase === phase, done, at);
    const transfer = {
      phase,
      done,
      ...(total === undefined ? {} : { total }),
      ...(rate === undefined ? {} : { rate }),
    };
    this.#running.set(id, { ...before, transfer });
  }

  #rate(id: Subject, same: boolean, done: number, at: number): number | undefined {
    const samples = same ? this.#samples.get(id) ?? [] : [];
    while (samples.length > 1 && samples[1]!.at < at - RATE_WINDOW) samples.shift();
    const last = samples.at(-1);
    if (last === undefined || at - last.at >= RATE_WINDOW / 20) samples.push({ at, done });
    this.#samples.set(id, samples);
    const [first] = samples;
    if (first === undefined || at - first.at < RATE_WINDOW / 10 || done < first.done) return;
    return (done - first.done) / (at - first.at) * 1000;
  }

  #finish(id: Subject, status: BuildStatus | undefined): void {
    this.#running.delete(id);
    this.#samples.delete(id);
    if (this.#images.has(id)) this.#settled.add(id);
    if (status === "failed") this.#failed += 1;
  }
}

/** `layer 3/7`, or the phase alone. */
function stepText({ phase, done, total }: Progress): string {
  if (done === undefined) return phase;
  return total === undefined ? `${phase} ${done}` : `${phase} ${done}/${total}`;
}
