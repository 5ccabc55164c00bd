/** Choosing how a run is told: what it prints goes to standard error, results to standard output. */

import type { EventSink } from "../model/events.ts";

/** How output looks. */
export type OutputMode = "auto" | "terminal" | "plain" | "github" | "gitlab";

/** What the command line says about output. */
export interface ReportSettings {
  readonly output: OutputMode;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

/** Renders events. */
export interface Reporter {
  readonly sink: EventSink;
  /** Gives the terminal back, whatever happened. */
  close(): void;
}

/** The reporter for these settings; the mode `auto` looks at the terminal and at CI's variables. */
export async function makeReporter(settings: ReportSettings): Promise<Reporter> {
  const { PlainReporter } = await import("./plain.ts");
  return new PlainReporter(settings, write);
}

/** Colour unless somebody said no, or nobody would see it. */
export function wantsColor(noColorOption: boolean): boolean {
  return !noColorOption && !Deno.noColor && Deno.stderr.isTerminal();
}

const encoder = new TextEncoder();

function write(text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
}
