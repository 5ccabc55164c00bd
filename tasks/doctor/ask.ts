/** Asking a program something that it should answer soon. */

import { asFault } from "../../lib/model/errors.ts";
import { runProcess } from "../../lib/process/run.ts";
import { printable } from "../../lib/report/printable.ts";

/** How long a program may take to answer, in milliseconds. */
const PATIENCE = 20_000;

/** The most of a complaint that is shown, in characters. */
const SHOWN = 200;

/** What is said before, and in spite of, what matters. */
const WARNING = /^(?:warn|time=.* level=(?:warn|info|debug))/i;

/** An answer. */
export interface Asked {
  /** What it printed to standard output. */
  readonly text: string;
  /** Why that is no answer: its first complaint, or what kept it from ending well. */
  readonly why?: string;
}

/** How a program is asked. */
export interface AskOptions {
  /** Folder it is started in. */
  readonly cwd?: string | undefined;
  /** In milliseconds. */
  readonly patience?: number | undefined;
}

/** Starts a program and waits for its end, or until patience is over; never throws. */
export async function ask(
  command: readonly string[],
  { cwd, patience = PATIENCE }: AskOptions = {},
): Promise<Asked> {
  const signal = AbortSignal.timeout(patience);
  const complaints: string[] = [];
  try {
    const { code, stdout } = await runProcess(command, {
      capture: true,
      allowFailure: true,
      signal,
      ...(cwd === undefined ? {} : { cwd }),
      log: (line) => complaints.push(printable(line, false).trim()),
    });
    if (code === 0) return { text: stdout };
    const first = complaints.find((line) => line !== "" && !WARNING.test(line));
    return { text: stdout, why: first?.slice(0, SHOWN) ?? `it ended with status ${code}` };
  } catch (error) {
    const why = signal.aborted ? `no answer within ${patience / 1000} s` : asFault(error).message;
    return { text: "", why };
  }
}
