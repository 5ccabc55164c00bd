/** Lines with prefixes, for logs, pipes and CI; a dialect says what a CI system wants to see. */

import type { Fault, Place } from "../model/errors.ts";
import type { EventSink, RunEvent, Subject } from "../model/events.ts";
import type { ResultDocument } from "../model/result.ts";
import { Board } from "./board.ts";
import { closing, untried } from "./closing.ts";
import { destinationLines, isNews } from "./destinations.ts";
import { faultDetails, faultMessage } from "./faults.ts";
import { finishedLine, isWorthALine, type Layout, WORD } from "./finished.ts";
import { Outputs } from "./output.ts";
import { type Palette, paletteFor } from "./palette.ts";
import { printable } from "./printable.ts";
import type { Output, Reporter, ReportSettings } from "./reporter.ts";
import { toldBy } from "./told.ts";
import { duration, reasonText, transferText } from "./words.ts";

/** What a CI system makes of lines. */
export interface Dialect {
  /** The output of what went well and took so many milliseconds, folded. */
  fold?(id: Subject, title: string, lines: readonly string[], ms: number): readonly string[];
  /** Lines that may hold anything, so that none of them is taken for a command. */
  quote(lines: readonly string[]): readonly string[];
  /** A failure, so that it is shown where people look. */
  failure?(id: Subject, fault: Fault, place: Place | undefined): readonly string[];
  /** Called at the end. */
  ended?(document: ResultDocument, closing: readonly string[]): void;
}

/** Time between two lines about the same transfer, in milliseconds. */
const PROGRESS_INTERVAL = 10_000;

/** Prints what happens as it happens; a build's output is shown when it fails, or with `-v`. */
export class LineReporter implements Reporter {
  readonly #settings: ReportSettings;
  readonly #output: Output;
  readonly #dialect: Dialect;
  readonly #palette: Palette;
  readonly #board = new Board();
  readonly #outputs = new Outputs();
  readonly #told = new Map<Subject, number>();

  constructor(settings: ReportSettings, output: Output, dialect: Dialect) {
    this.#settings = settings;
    this.#output = output;
    this.#dialect = dialect;
    this.#palette = paletteFor(settings.color);
  }

  /** Takes one event. */
  readonly sink: EventSink = toldBy(this.#board, {
    started: (event) => this.#started(event),
    progress: ({ id, at }) => this.#progress(id, at),
    output: ({ id, line }) => {
      if (this.#settings.verbose) this.#quoted(id, [line]);
      else this.#outputs.add(id, line);
    },
    notice: ({ id, message }) =>
      this.#print([`${this.#label(id)}${this.#palette.notice("note:")} ${message}`]),
    finished: (event, since) => this.#finished(event, since),
    published: (event) => this.#published(event),
    loaded: (event) => this.#loaded(event),
    ended: (event) => this.#ended(event),
  });

  /** Nothing to give back. */
  close(): void {}

  get #layout(): Layout {
    return { palette: this.#palette, nameWidth: this.#board.nameWidth };
  }

  #started({ id, at, phase, detail, reasons = [] }: RunEvent & { kind: "started" }): void {
    this.#told.set(id, at);
    if (this.#settings.quiet || this.#settings.progressOnly) return;
    const line = `${this.#label(id)}${phase.padEnd(WORD)}  ${detail ?? reasonText(reasons)}`;
    this.#print([line.trimEnd()]);
  }

  /** Long transfers show that they go on. */
  #progress(id: Subject, at: number): void {
    const activity = this.#board.running.find((each) => each.id === id);
    if (this.#settings.quiet || activity?.transfer === undefined) return;
    const last = this.#told.get(id) ?? activity.since;
    if (at - last < PROGRESS_INTERVAL) return;
    this.#told.set(id, at);
    const { transfer } = activity;
    const text = `${transfer.phase.padEnd(WORD)}  ${transferText(transfer)}`;
    this.#print([`${this.#label(id)}${text}, after ${duration(at - activity.since)}`]);
  }

  #finished(event: RunEvent & { kind: "finished" }, since: number | undefined): void {
    const { id, at, result, fault, place } = event;
    const { status } = result;
    const { quiet, verbose, progressOnly = false } = this.#settings;
    const lines = this.#outputs.take(id);
    const brief = quiet || progressOnly;
    if ((brief && status !== "failed") || !isWorthALine(status, verbose)) return;
    const title = finishedLine(event, since, this.#layout);
    if (fault === undefined) {
      if (lines.length === 0 || this.#dialect.fold === undefined) this.#print([title]);
      else {
        const ms = since === undefined ? result.ms : at - since;
        this.#write(this.#dialect.fold(id, this.#clean(title), lines.map(this.#clean), ms));
      }
      return;
    }
    this.#quoted(id, lines);
    this.#print([title]);
    this.#fault(id, fault, place);
  }

  #published({ id, destinations, fault }: RunEvent & { kind: "published" }): void {
    const { quiet, verbose, progressOnly = false } = this.#settings;
    const shown = quiet ? destinations.filter(({ status }) => status === "failed") : destinations;
    if (progressOnly || !(verbose || isNews(shown))) return;
    const lines = destinationLines(shown, this.#palette);
    this.#print(lines.map((line) => `${this.#label(id)}${line}`));
    if (fault === undefined) return;
    this.#print([`${this.#label(id)}${faultMessage(fault, id)}`]);
    this.#fault(id, fault);
  }

  #loaded({ id, engine, tag }: RunEvent & { kind: "loaded" }): void {
    if (this.#settings.quiet || this.#settings.progressOnly) return;
    this.#print([`${this.#label(id)}${"loaded".padEnd(WORD)}  into ${engine} as ${tag}`]);
  }

  #fault(id: Subject, fault: Fault, place?: Place): void {
    const details = faultDetails(fault, this.#palette);
    this.#print(details.map((line) => `${this.#label(id)}${line}`));
    this.#write(this.#dialect.failure?.(id, fault, place) ?? []);
  }

  #ended(event: RunEvent & { kind: "ended" }): void {
    const { quiet, progressOnly = false } = this.#settings;
    if (progressOnly && !quiet) this.#print(untried(event.document, this.#palette));
    else this.#print(closing(event, this.#board, this.#palette, quiet));
    if (progressOnly) return;
    this.#dialect.ended?.(event.document, closing(event, this.#board, paletteFor(false)));
  }

  #quoted(id: Subject, lines: readonly string[]): void {
    if (lines.length === 0) return;
    const label = this.#label(id);
    this.#write(this.#dialect.quote(lines.map((line) => this.#clean(`${label}${line}`))));
  }

  readonly #clean = (line: string): string => printable(line, this.#settings.color);

  #label(id: Subject | undefined): string {
    if (id === undefined) return "";
    return `${this.#palette.name(id.padEnd(this.#board.nameWidth))}  `;
  }

  #print(lines: readonly string[]): void {
    this.#write(lines.flatMap((line) => line.split("\n")).map(this.#clean));
  }

  #write(lines: readonly string[]): void {
    if (lines.length > 0) this.#output.write(`${lines.join("\n")}\n`);
  }
}
