/** Asking git about a folder. Nobody is there to answer its questions. */

import { runProcess } from "./run.ts";
import { which } from "./which.ts";

/** What git answered. */
export interface GitAnswer {
  /** Exit status. */
  readonly code: number;
  /** Standard output, as it is. */
  readonly stdout: string;
}

/**
 * Runs git in a folder; undefined where git is not installed.
 *
 * @param stdin bytes for its standard input.
 */
export async function askGit(
  folder: string,
  args: readonly string[],
  signal?: AbortSignal,
  stdin?: Uint8Array,
): Promise<GitAnswer | undefined> {
  if (which("git") === undefined) return undefined;
  return await runProcess(["git", "-C", folder, ...args], {
    allowFailure: true,
    capture: true,
    env: { GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" },
    ...(signal === undefined ? {} : { signal }),
    ...(stdin === undefined ? {} : { stdin }),
  });
}
