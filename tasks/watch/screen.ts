/** What a watch says around its rounds. Everything goes to standard error. */

import { detectMode } from "../../lib/report/reporter.ts";
import { type CommonOptions, errorPalette, reportSettings } from "../options.ts";

/** Clears the screen of a terminal, its scrolled lines too, and goes to its top. */
const CLEAR = "\x1b[2J\x1b[3J\x1b[H";

/** Paths that are named before there are only said to be more. */
const NAMED = 3;

/** Begins a round: a clear screen on a terminal, and the time and what has changed. */
export function heading(options: CommonOptions, changed: readonly string[]): void {
  if (options.quiet) return;
  const { output } = reportSettings(options);
  if ((output === "auto" ? detectMode(Deno.env.toObject()) : output) === "terminal") write(CLEAR);
  const { dim } = errorPalette(options);
  const names = changed.slice(0, NAMED).join(", ");
  const more = changed.length > NAMED ? ` and ${changed.length - NAMED} more` : "";
  const what = changed.length === 0 ? "watching" : `changed: ${names}${more}`;
  write(`${dim(`${new Date().toTimeString().slice(0, 8)} ${what}`)}\n`);
}

/** Ends a round. */
export function waiting(options: CommonOptions, folders: number): void {
  if (options.quiet) return;
  const { dim } = errorPalette(options);
  write(`${dim(`waiting for a change in ${folders} folders; Ctrl-C ends`)}\n`);
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
}
