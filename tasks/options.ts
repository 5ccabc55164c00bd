/** Options that every verb has, as the command line gives them. */

import { type Palette, paletteFor } from "../lib/report/palette.ts";
import { allowsColor, type OutputMode, type ReportSettings } from "../lib/report/reporter.ts";
import { usageFault } from "../lib/model/errors.ts";
import { formatPlatform, parsePlatform } from "../lib/model/platform.ts";
import type { RunSettings } from "../lib/run/session.ts";

/** The options of all verbs. */
export interface CommonOptions {
  readonly file: string;
  readonly jobs?: number;
  readonly keepGoing?: boolean | undefined;
  readonly platform?: string;
  readonly force?: boolean | undefined;
  readonly arg?: readonly string[];
  readonly engine?: string;
  readonly builder?: string;
  readonly remote?: boolean | undefined;
  readonly pull?: boolean | undefined;
  /** Of build, push, plan and watch. */
  readonly strictInputs?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly output?: OutputMode;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly color?: boolean | undefined;
}

/** What the command line decides about a run. */
export function runSettings(options: CommonOptions): RunSettings {
  const engine = options.engine ?? Deno.env.get("IMAGES_DOCKERFILE_ENGINE");
  return {
    jobs: jobsOf(options),
    keepGoing: options.keepGoing ?? false,
    force: options.force ?? false,
    ...(options.platform === undefined
      ? {}
      : { platform: formatPlatform(parsePlatform(options.platform)) }),
    args: Object.fromEntries((options.arg ?? []).map(parseArg)),
    overrides: {
      ...(engine === undefined ? {} : { engine }),
      ...(options.builder === undefined ? {} : { builder: options.builder }),
    },
    remote: options.remote ?? true,
    pull: options.pull ?? false,
    strictInputs: options.strictInputs ?? false,
  };
}

function jobsOf({ jobs = Math.max(2, navigator.hardwareConcurrency) }: CommonOptions): number {
  if (jobs >= 1) return jobs;
  throw usageFault(`Cannot build ${jobs} images at once`, { next: "give --jobs at least 1" });
}

/** What the command line decides about output. */
export function reportSettings(options: CommonOptions): ReportSettings {
  return {
    output: options.output ?? "auto",
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    color: allowsColor(options.color === false),
  };
}

/** The palette of what is printed to standard output. */
export function outputPalette(options: CommonOptions): Palette {
  return paletteFor(allowsColor(options.color === false) && Deno.stdout.isTerminal());
}

/** The palette of what a verb itself prints to standard error. */
export function errorPalette(options: CommonOptions): Palette {
  return paletteFor(allowsColor(options.color === false) && Deno.stderr.isTerminal());
}

/** Columns of the terminal that standard output is; undefined where it is none. */
export function outputColumns(): number | undefined {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined;
}

function parseArg(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) {
    throw usageFault(`Cannot read --arg "${text}"`, { next: "write it as --arg NAME=VALUE" });
  }
  return [text.slice(0, at), text.slice(at + 1)];
}
