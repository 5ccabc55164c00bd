/** `images build`: builds what is not up to date. */

import type { CommonOptions } from "./options.ts";
import { printJson, settle } from "./run.ts";

/** Options of `build`. */
export interface BuildOptions extends CommonOptions {
  readonly all?: boolean;
}

/** Builds the targets; answers with the exit status. */
export async function build(options: BuildOptions, targets: readonly string[]): Promise<number> {
  const { document, status } = await settle(options, {
    command: "build",
    mode: "build",
    targets,
    all: options.all ?? false,
  });
  printJson(options, document);
  return status;
}
