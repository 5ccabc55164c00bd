/** Plain lines with prefixes, for logs, pipes and CI. */

import { type Fault, renderFault } from "../model/errors.ts";
import type { EventSink, RunEvent, Subject } from "../model/events.ts";
import type { ImageResult, TaskResult } from "../model/result.ts";
import { type Palette, paletteFor } from "./palette.ts";
import type { Reporter, ReportSettings } from "./reporter.ts";
import { destinationLines, footer, reasonText } from "./words.ts";

/** Prints what happens as it happens; a build's output is shown when it fails, or with `-v`. */
export class PlainReporter implements Reporter {
  readonly #settings: ReportSettings;
  readonly #write: (text: string) => void;
  readonly #palette: Palette;
  readonly #output = new Map<Subject, string[]>();
  #width = 0;

  constructor(settings: ReportSettings, write: (text: string) => void) {
    this.#settings = settings;
    this.#write = write;
    this.#palette = paletteFor(settings.color);
  }

  /** Takes one event. */
  readonly sink: EventSink = (event) => {
    switch (event.kind) {
      case "began":
        this.#width = Math.max(0, ...event.nodes.map((node) => node.id.length));
        break;
      case "started":
        if (!this.#settings.quiet) {
          this.#line(event.id, `${event.phase} ${event.detail ?? ""}`.trim());
        }
        break;
      case "output":
        this.#keep(event.id, event.line);
        break;
      case "notice":
        this.#line(event.id ?? "", `${this.#palette.notice("note:")} ${event.message}`);
        break;
      case "finished":
        this.#finished(event.id, event.result, event.fault);
        break;
      case "published":
        this.#published(event);
        break;
      case "ended":
        if (!this.#settings.quiet) this.#ended(event);
        break;
      case "progress":
        break;
    }
  };

  /** Nothing to give back. */
  close(): void {}

  #keep(id: Subject, line: string): void {
    if (this.#settings.verbose) {
      this.#line(id, line);
      return;
    }
    const lines = this.#output.get(id) ?? [];
    lines.push(line);
    if (lines.length > REPLAYED) lines.shift();
    this.#output.set(id, lines);
  }

  #finished(id: Subject, result: ImageResult | TaskResult, fault: Fault | undefined): void {
    const { status = "cached" } = result;
    if (fault !== undefined && status === "failed") {
      for (const line of this.#output.get(id) ?? []) this.#line(id, line);
    }
    this.#output.delete(id);
    if (this.#settings.quiet && status !== "failed") return;
    const { status: paint } = this.#palette;
    const why = status === "built" ? reasonText(result.reasons) : "";
    this.#line(id, [paint(status), why].filter(Boolean).join("  "));
    if (fault === undefined || status === "skipped") return;
    this.#fault(id, fault);
  }

  #published({ id, destinations, fault }: RunEvent & { kind: "published" }): void {
    const shown = this.#settings.quiet
      ? destinations.filter(({ status }) => status === "failed")
      : destinations;
    for (const line of destinationLines(shown, this.#palette)) this.#line(id, line);
    if (fault !== undefined) this.#fault(id, fault);
  }

  #fault(id: Subject, fault: Fault): void {
    for (const line of renderFault(fault).split("\n")) this.#line(id, `  ${line}`);
  }

  #ended(event: RunEvent & { kind: "ended" }): void {
    this.#write(`${footer(event.document, this.#palette)}\n`);
  }

  #line(id: Subject, text: string): void {
    const label = id === "" ? "" : `${this.#palette.name(id.padEnd(this.#width))}  `;
    this.#write(`${label}${text}\n`);
  }
}

/** How many of the last lines of output are shown again when a build fails. */
const REPLAYED = 200;
