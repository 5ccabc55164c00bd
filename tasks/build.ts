/** `images build`: builds what is not up to date, and goes on to publish or load it. */

import type { CommonOptions } from "./options.ts";
import { openProject, printJson, type RunRequest, settle } from "./run.ts";

/** Options of `build`. */
export interface BuildOptions extends CommonOptions {
  readonly all?: boolean;
  readonly load?: boolean;
  readonly push?: boolean;
  readonly to?: string;
  readonly tag?: readonly string[];
}

/** Builds the targets; answers with the exit status. */
export async function build(options: BuildOptions, targets: readonly string[]): Promise<number> {
  const all = options.all ?? false;
  let request: Omit<RunRequest, "command"> = { mode: "build", targets, all };
  if (options.push) {
    const { pushRun } = await import("./push.ts");
    const { registries } = await openProject(options);
    request = pushRun(options, targets, registries, false);
  }
  if (options.load) {
    const { loadBefore } = await import("./load.ts");
    request = loadBefore(request, options);
  }
  const { document, status } = await settle(options, { ...request, command: "build" });
  printJson(options, document);
  return status;
}
