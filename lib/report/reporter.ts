/** Choosing how a run is told: what it prints goes to standard error, results to standard output. */

import type { EventSink } from "../model/events.ts";

/** How output looks. */
export type OutputMode = "auto" | "terminal" | "plain" | "github" | "gitlab";

/** What the command line says about output. */
export interface ReportSettings {
  readonly output: OutputMode;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Colour is not forbidden. */
  readonly color: boolean;
  /** Only what is going on and what fails is shown: the result is printed by the verb itself. */
  readonly progressOnly?: boolean;
}

/** Renders events. */
export interface Reporter {
  readonly sink: EventSink;
  /** Gives the terminal back, whatever happened. */
  close(): void;
}

/** Where a reporter prints. */
export interface Output {
  /** Writes all of a text at once. */
  write(text: string): void;
  /** Size of the terminal, in columns and rows. */
  size(): { readonly columns: number; readonly rows: number };
}

/** The reporter for these settings; the mode `auto` looks at the terminal and at CI's variables. */
export async function makeReporter(settings: ReportSettings): Promise<Reporter> {
  const mode = settings.output === "auto" ? detectMode(Deno.env.toObject()) : settings.output;
  if (mode === "terminal" && !settings.quiet) {
    const { TerminalReporter } = await import("./terminal.ts");
    return new TerminalReporter(settings, standardError);
  }
  const { LineReporter } = await import("./lines.ts");
  const color = settings.color && (mode !== "plain" || Deno.stderr.isTerminal());
  return new LineReporter({ ...settings, color }, standardError, await dialectOf(mode));
}

async function dialectOf(mode: OutputMode) {
  if (mode === "github") return new (await import("./github.ts")).GithubDialect();
  if (mode === "gitlab") return new (await import("./gitlab.ts")).GitlabDialect();
  return new (await import("./plain.ts")).PlainDialect();
}

/** The mode that suits where we are: CI's own, a terminal that understands us, or plain lines. */
export function detectMode(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean = Deno.stderr.isTerminal(),
): Exclude<OutputMode, "auto"> {
  if (env.GITHUB_ACTIONS === "true") return "github";
  if (env.GITLAB_CI === "true") return "gitlab";
  const inCi = env.CI !== undefined && env.CI !== "" && env.CI !== "false";
  return isTerminal && !inCi && env.TERM !== "dumb" ? "terminal" : "plain";
}

/** Whether colour is allowed at all. */
export function allowsColor(noColorOption: boolean): boolean {
  return !noColorOption && !Deno.noColor;
}

const encoder = new TextEncoder();

let gone = false;

/** Standard error. A reader that has gone away is no reason to stop what it read about. */
const standardError: Output = {
  write(text) {
    if (gone) return;
    const bytes = encoder.encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
    } catch {
      gone = true;
    }
  },
  size() {
    try {
      return Deno.consoleSize();
    } catch {
      return { columns: 80, rows: 24 };
    }
  },
};
