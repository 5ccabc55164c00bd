/** `images build`: builds what is not up to date, and goes on to publish or load it. */

import type { CommonOptions } from "./options.ts";
import { openProject, printJson, type RunRequest, settle } from "./run.ts";

/** Options of `build`. */
export interface BuildOptions extends CommonOptions {
  readonly all?: boolean | undefined;
  readonly load?: boolean | undefined;
  readonly push?: boolean | undefined;
  readonly to?: string;
  readonly tag?: readonly string[];
}

/** Builds the targets; answers with the exit status. */
export async function build(options: BuildOptions, targets: readonly string[]): Promise<number> {
  const { run } = await buildRun(options, targets);
  const { document, status } = await settle(options, { ...run, command: "build" });
  printJson(options, document);
  return status;
}

/** A run that builds its targets, and publishes or loads them where the options say so. */
export async function buildRun(
  options: BuildOptions,
  targets: readonly string[],
): Promise<{ readonly run: Omit<RunRequest, "command"> }> {
  const all = options.all ?? false;
  let run: Omit<RunRequest, "command"> = { mode: "build", targets, all };
  if (options.push) {
    const { pushRun } = await import("./push.ts");
    const { registries } = await openProject(options);
    run = pushRun(options, targets, registries, false);
  }
  if (options.load) {
    const { loadBefore } = await import("./load.ts");
    run = loadBefore(run, options);
  }
  return { run };
}
