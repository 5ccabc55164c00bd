/** Running Bazel: one command at a time for each workspace, its errors kept. */

import type { PublishContext } from "../../../lib/model/plugin.ts";
import { runProcess } from "../../../lib/process/run.ts";
import { Slots } from "../../../lib/model/slots.ts";
import { bazelProgram, type Workspace } from "./workspace.ts";

/** A command of Bazel. */
export interface BazelCommand {
  readonly workspace: Workspace;
  /** The command and its arguments. */
  readonly args: readonly string[];
  /** Ends it when aborted. */
  readonly signal: AbortSignal;
  /** Takes each line that people should see. */
  readonly log: (line: string) => void;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes each line of its result. */
  readonly onResult?: (line: string) => void;
  /** Takes how far it is, in actions. */
  readonly onProgress?: (done: number, total: number) => void;
  /** What it is for, named in errors. */
  readonly where: string;
}

/** How a command ended. */
export interface BazelEnd {
  /** Exit status. */
  readonly code: number;
  /** The last line that it printed; what starts Bazel may fail without marking its words as errors. */
  readonly last?: string;
  /** What it said was wrong, without `ERROR:`, each with the lines that belong to it. */
  readonly errors: readonly string[];
}

/** Exit statuses whose meaning is known. @see https://bazel.build/run/scripts#exit-codes */
export const ExitStatus = {
  done: 0,
  /** Something did not build. */
  failed: 1,
  badCommand: 2,
  /** A query's answer leaves something out. */
  partly: 3,
  /** A query, or what came before a build, found a fault in the workspace. */
  refused: 7,
  lockHeld: 9,
  outOfMemory: 33,
  serverFailed: 37,
  /** The same as {@link ExitStatus.lockHeld}, in newer versions. */
  otherCommandRuns: 45,
} satisfies Record<string, number>;

const PROGRESS = /^\[([\d,]+)(?: \/ ([\d,]+))?\]/;

/** What Bazel says about itself and not about the build. */
const CHATTER =
  /^(?:\[INFO [\d:.]+ [^\]]*\] |Loading|Analyzing|Computing main repo mapping|Starting local Bazel server|\s*currently loading|INFO: $|INFO: Invocation ID|INFO: Build Event Protocol|INFO: Build completed successfully|(?:FAILED|ERROR): Build did NOT)/;

/** Flags of every command: output for a program to read. */
const PLAIN = ["--color=no", "--curses=no"];

/** Errors that only follow from others, such as one for each target in a package that has a fault. */
const AFTERMATH =
  /^ERROR: (?:command succeeded, but |Error computing the main repository mapping: error (?:parsing|executing) MODULE\.bazel|.*contains an error and its package is in error|.*errors were encountered while computing transitive closure)/;

/** Runs a command once the workspace's earlier ones are done. */
export async function runBazel(
  command: BazelCommand,
  once: PublishContext["once"],
): Promise<BazelEnd> {
  const { workspace, args: [name = "", ...args], signal, log, where } = command;
  const turns = await once(`bazel ${workspace.path}`, () => Promise.resolve(new Slots(1)));
  return await turns.run(async () => {
    const errors = new ErrorLines();
    let last: string | undefined;
    const { code } = await runProcess([bazelProgram(where), name, ...PLAIN, ...args], {
      cwd: workspace.path,
      ...(command.env === undefined ? {} : { env: command.env }),
      allowFailure: true,
      signal,
      where,
      onLine: (line, stream) => {
        if (stream === "stdout" && command.onResult !== undefined) command.onResult(line);
        else if (!tookProgress(line, command) && !isNoise(line)) {
          errors.add(line);
          last = line;
          log(line);
        }
        return false;
      },
    });
    return { code, errors: errors.all, ...(last === undefined ? {} : { last }) };
  });
}

function isNoise(line: string): boolean {
  return line === "" || CHATTER.test(line) || AFTERMATH.test(line);
}

function tookProgress(line: string, { onProgress }: BazelCommand): boolean {
  const match = PROGRESS.exec(line);
  if (match === null) return false;
  const [, done = "", total] = match;
  if (total !== undefined) onProgress?.(numberOf(done), numberOf(total));
  return true;
}

function numberOf(text: string): number {
  return Number(text.replaceAll(",", ""));
}

const MARKED = /^(ERROR|FATAL|WARNING|INFO|DEBUG|FAILED)(?:: | ?)(.*)$/;

/** A line of Bazel's client, before its server is there: `[FATAL 10:20:30.123 file.cc:12] text`. */
const CLIENT = /^\[(ERROR|FATAL|WARNING|INFO) [\d:.]+ [^\]]*\] (.*)$/;

/** Collects errors; a line that starts nothing new belongs to the one before. */
class ErrorLines {
  readonly #errors: string[] = [];
  #open = false;

  get all(): readonly string[] {
    return this.#errors.map((error) => error.trimEnd());
  }

  add(line: string): void {
    const match = MARKED.exec(line) ?? CLIENT.exec(line);
    if (match !== null) {
      this.#open = match[1] === "ERROR" || match[1] === "FATAL";
      if (this.#open) this.#errors.push(match[2] ?? "");
    } else if (/^Target .* is incompatible and cannot be built|^Server crashed/.test(line)) {
      this.#open = true;
      this.#errors.push(line);
    } else if (this.#open) this.#errors.push(`${this.#errors.pop() ?? ""}\n${line}`);
    else if (/^Server terminated/.test(line)) this.#errors.push(line);
  }
}
