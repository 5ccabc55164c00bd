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
  serverFailed: 37,
} satisfies Record<string, number>;

const PROGRESS = /^\[([\d,]+)(?: \/ ([\d,]+))?\]/;

/** What Bazel says about itself and not about the build. */
const CHATTER =
  /^(?:Loading|Analyzing|Computing main repo mapping|Starting local Bazel server|\s*currently loading|INFO: $|INFO: Invocation ID|INFO: Build Event Protocol|INFO: Build completed successfully|(?:FAILED|ERROR): Build did NOT)/;

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
          log(line);
        }
        return false;
      },
    });
    return { code, errors: errors.all };
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

/** Collects errors; a line that starts nothing new belongs to the one before. */
class ErrorLines {
  readonly #errors: string[] = [];
  #open = false;

  get all(): readonly string[] {
    return this.#errors.map((error) => error.trimEnd());
  }

  add(line: string): void {
    const match = /^(ERROR|FATAL|WARNING|INFO|DEBUG|FAILED)(?:: | ?)(.*)$/.exec(line);
    if (match !== null) {
      this.#open = match[1] === "ERROR" || match[1] === "FATAL";
      if (this.#open) this.#errors.push(match[2] ?? "");
    } else if (/^Target .* is incompatible and cannot be built/.test(line)) {
      this.#open = true;
      this.#errors.push(line);
    } else if (this.#open) this.#errors.push(`${this.#errors.pop() ?? ""}\n${line}`);
    else if (/^Server terminated/.test(line)) this.#errors.push(line);
  }
}
