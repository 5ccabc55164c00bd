/**
 * What happens, live in a terminal: lines that stay scroll up, what is going on is redrawn below
 * them. What draws is imported when there is something to show, so a run that finds everything up
 * to date prints its closing lines and nothing else.
 */

import type { EventSink, RunEvent } from "../model/events.ts";
import { Board } from "./board.ts";
import { closing, untried } from "./closing.ts";
import { destinationLines, isNews } from "./destinations.ts";
import { faultDetails, faultMessage } from "./faults.ts";
import { finishedLine, isWorthALine, type Layout } from "./finished.ts";
import type { Live } from "./live.ts";
import { Outputs } from "./output.ts";
import { paletteFor } from "./palette.ts";
import { printable } from "./printable.ts";
import type { Output, Reporter, ReportSettings } from "./reporter.ts";
import { toldBy } from "./told.ts";

/** Time between two frames, in milliseconds. */
const FRAME = 80;

/** A run that is over sooner shows nothing of its progress, in milliseconds. */
const PATIENCE = 150;

/** Where nobody knows how wide a terminal is, a text is one line. */
const one = (text: string): readonly string[] => [text];

/** Makes lines that stay, for a terminal of a certain width. */
type Lines = (layout: Layout) => readonly string[];

/** Shows a run in a terminal. */
export class TerminalReporter implements Reporter {
  readonly #settings: ReportSettings;
  readonly #output: Output;
  readonly #palette;
  readonly #board = new Board();
  readonly #outputs = new Outputs();
  readonly #pending: Lines[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #live: Live | undefined;
  /** The clock's reading when the run began, in milliseconds. */
  #begun = 0;
  #closed = false;

  constructor(settings: ReportSettings, output: Output) {
    this.#settings = settings;
    this.#output = output;
    this.#palette = paletteFor(settings.color);
  }

  /** Takes one event. */
  readonly sink: EventSink = toldBy(this.#board, {
    began: ({ at }) => this.#begin(at),
    output: ({ id, line }) => {
      if (this.#settings.verbose) this.#keep(() => [`${this.#label(id)}${line}`]);
      else this.#outputs.add(id, line);
    },
    notice: (event) => this.#keep(({ wrap = one }) => wrap(this.#notice(event))),
    finished: (event, since) => this.#finished(event, since),
    published: (event) => this.#published(event),
    loaded: (event) => this.#loaded(event),
    ended: (event) => this.#ended(event),
  });

  /** Shows what is left to show, and gives the terminal back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#live === undefined) this.#flush();
    else this.#live.close((layout) => this.#take(layout));
  }

  #ended(event: RunEvent & { kind: "ended" }): void {
    const lines = this.#settings.progressOnly
      ? untried(event.document, this.#palette)
      : closing(event, this.#board, this.#palette);
    this.#keep(({ wrap = one }) => lines.flatMap((line) => wrap(line)));
    this.close();
  }

  #begin(at: number): void {
    this.#begun = performance.now() - at;
    this.#timer = setInterval(() => this.#tick(), FRAME);
    Deno.unrefTimer(this.#timer);
  }

  async #tick(): Promise<void> {
    const now = performance.now() - this.#begun;
    if (this.#live === undefined) {
      if (now < PATIENCE) return;
      const { Live } = await import("./live.ts");
      if (this.#closed) return;
      this.#live ??= new Live(this.#output, this.#board, this.#palette);
    }
    this.#live.draw(now, (layout) => this.#take(layout));
  }

  #finished(event: RunEvent & { kind: "finished" }, since: number | undefined): void {
    const { id, result: { status }, fault } = event;
    const output = this.#outputs.take(id);
    const { verbose, progressOnly = false } = this.#settings;
    if ((progressOnly && status !== "failed") || !isWorthALine(status, verbose)) return;
    const mark = this.#palette.mark(status);
    this.#keep((layout) => {
      const line = `${mark} ${finishedLine(event, since, layout)}`;
      if (fault === undefined) return [line];
      const replayed = output.map((text) => `  ${this.#palette.dim("│")} ${text}`);
      const details = faultDetails(fault, this.#palette).map((text) => `  ${text}`);
      const { wrap = one } = layout;
      return [...wrap(line), ...replayed, ...details.flatMap((text) => wrap(text))];
    });
  }

  #published({ id, destinations, fault }: RunEvent & { kind: "published" }): void {
    const { verbose, progressOnly = false } = this.#settings;
    if (progressOnly || !(verbose || isNews(destinations))) return;
    this.#keep(({ wrap = one }) => {
      const lines = destinationLines(destinations, this.#palette);
      const told = fault === undefined
        ? []
        : [faultMessage(fault, id), ...faultDetails(fault, this.#palette)];
      return [
        ...lines.flatMap((line) => wrap(`${this.#label(id)}${line}`)),
        ...told.flatMap((line) => wrap(`  ${line}`)),
      ];
    });
  }

  #loaded({ id, engine, tag }: RunEvent & { kind: "loaded" }): void {
    if (this.#settings.progressOnly) return;
    this.#keep(({ wrap = one }) =>
      wrap(`${this.#palette.mark("built")} ${this.#label(id)}loaded into ${engine} as ${tag}`)
    );
  }

  #notice({ id, message }: RunEvent & { kind: "notice" }): string {
    return `${this.#label(id)}${this.#palette.notice("note:")} ${message}`;
  }

  #label(id: string | undefined): string {
    return id === undefined ? "" : `${this.#palette.name(id)}  `;
  }

  #keep(lines: Lines): void {
    this.#pending.push(lines);
    // What comes after the end, or before the beginning, finds no frame to be shown with.
    if (this.#timer === undefined || this.#closed) this.#flush();
  }

  #flush(): void {
    const lines = this.#take({ palette: this.#palette, nameWidth: this.#board.nameWidth });
    if (lines.length > 0) this.#output.write(`${lines.join("\n")}\n`);
  }

  #take(layout: Layout): string[] {
    const lines = this.#pending.splice(0).flatMap((make) => make(layout));
    return lines.flatMap((line) => line.split("\n"))
      .map((line) => printable(line, this.#settings.color));
  }
}
