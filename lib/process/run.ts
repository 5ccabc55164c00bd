/**
 * Starting programs: each in a process group of its own, so that ending it ends all it started.
 * Nothing else in the project starts a program.
 */

import { Fault, unavailableFault } from "../model/errors.ts";
import type { RunOptions, RunResult } from "../model/plugin.ts";
import { requireFolder } from "./folder.ts";
import { endGroup, groups, killGroup } from "./groups.ts";
import { eachLine } from "./lines.ts";
import { guard } from "./parent_guard.ts";

/** How a program is started, with what only the runner decides. */
export interface ProcessOptions extends RunOptions {
  /** Takes each line of output that `onLine` did not keep. */
  readonly log?: (line: string) => void;
  /** Hands on nothing of our own environment. @default false */
  readonly clearEnv?: boolean;
  /** What the program is started for, named in errors. */
  readonly where?: string;
}

/** The most output that `capture` keeps, in bytes. */
const CAPTURE_LIMIT = 256 * 1024 * 1024;

/**
 * Runs a program to its end.
 *
 * @throws {Fault} when it cannot be started, ends with another status than 0 (unless
 * `allowFailure`), or is interrupted.
 */
export async function runProcess(
  command: readonly string[],
  options: ProcessOptions = {},
): Promise<RunResult> {
  const { signal } = options;
  if (signal?.aborted) throw interrupted(signal);
  const child = spawn(command, options);
  groups.add(child.pid);
  const letGo = guard(child.pid);
  const stop = () => endGroup(child.pid);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const captured: Uint8Array[] = [];
    const [status, unreadable] = await Promise.all([
      ended(child, signal),
      feed(child, options.stdin),
      options.capture
        ? collect(child.stdout, captured, command)
        : eachLine(child.stdout, (line) => deliver(line, "stdout", options)),
      eachLine(child.stderr, (line) => deliver(line, "stderr", options)),
    ]);
    if (signal?.aborted) throw interrupted(signal);
    if (unreadable !== undefined) throw unreadable.error;
    if (!status.success && !options.allowFailure) throw failed(command, status, options.where);
    return { code: status.code, stdout: new TextDecoder().decode(join(captured)) };
  } finally {
    signal?.removeEventListener("abort", stop);
    groups.delete(child.pid);
    await letGo();
  }
}

/** Waits for the program; of an interrupted one nothing in its group may live on. */
async function ended(
  child: Deno.ChildProcess,
  signal: AbortSignal | undefined,
): Promise<Deno.CommandStatus> {
  const status = await child.status;
  if (signal?.aborted) killGroup(child.pid);
  return status;
}

function spawn(command: readonly string[], options: ProcessOptions): Deno.ChildProcess {
  const [program = "", ...args] = command;
  try {
    return new Deno.Command(program, {
      args,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...options.env },
      clearEnv: options.clearEnv ?? false,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (cause) {
    if (options.cwd !== undefined) requireFolder(options.cwd, `"${program}"`, options.where);
    const detail = cause instanceof Error ? cause.message : String(cause);
    const where = options.where === undefined ? {} : { where: options.where };
    if (cause instanceof Deno.errors.NotFound) {
      throw unavailableFault(`Cannot start "${program}": no such program is on PATH`, {
        ...where,
        next: `install "${program}", or put it on PATH`,
        cause,
      });
    }
    throw new Fault(`Cannot start "${program}": ${detail}`, { ...where, cause });
  }
}

/** Hands a program its input; what cannot be read to its end ends the program too. */
async function feed(
  child: Deno.ChildProcess,
  stdin: Uint8Array | AsyncIterable<Uint8Array> | undefined,
): Promise<{ readonly error: unknown } | undefined> {
  if (stdin === undefined) return undefined;
  const writer = child.stdin.getWriter();
  try {
    for await (const chunk of stdin instanceof Uint8Array ? [stdin] : stdin) {
      // A program that ends without reading its input is no fault: its status tells.
      if (!await writer.write(chunk).then(() => true, () => false)) return undefined;
    }
    await writer.close().catch(() => {});
    return undefined;
  } catch (error) {
    endGroup(child.pid);
    await writer.abort(error).catch(() => {});
    return { error };
  }
}

function deliver(line: string, stream: "stdout" | "stderr", options: ProcessOptions): void {
  if (options.onLine?.(line, stream) !== false) options.log?.(line);
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  into: Uint8Array[],
  command: readonly string[],
): Promise<void> {
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > CAPTURE_LIMIT) {
      throw new Fault(`"${command[0]}" printed over ${CAPTURE_LIMIT} bytes`);
    }
    into.push(chunk);
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function failed(
  command: readonly string[],
  status: Deno.CommandStatus,
  where: string | undefined,
): Fault {
  const how = status.signal ? `was ended by ${status.signal}` : `ended with status ${status.code}`;
  return new Fault(
    `"${command.slice(0, 2).join(" ")}" ${how}`,
    where === undefined ? {} : { where },
  );
}

function interrupted(signal: AbortSignal): Fault {
  if (signal.reason instanceof Fault) return signal.reason;
  return new Fault("Interrupted", { kind: "interrupted", cause: signal.reason });
}
