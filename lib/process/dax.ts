/**
 * dax's `$` for task functions, bound to the task's folder, log and cancellation. dax is heavy, so
 * this module is imported only when such a task runs.
 */

import { build$, CommandBuilder, KillController } from "dax";
import { Fault } from "../model/errors.ts";
import type { TaskContext } from "../model/recipe.ts";
import { requireFolder } from "./folder.ts";
import { LineSplitter } from "./lines.ts";
import { endMarked } from "./marked.ts";
import { guard } from "./parent_guard.ts";

/** How a task function is run. */
export interface FunctionOptions {
  /** Absolute path of the folder its commands start in. */
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Takes each line that its commands print. */
  readonly log: (line: string) => void;
}

/** Marks the processes that a task started: they are not in a process group of their own. */
const MARK = "IMAGES_TASK_ID";

/** Runs a task function to its end; nothing that it started lives on after an interrupt. */
export async function runFunction(
  run: (context: TaskContext) => unknown,
  options: FunctionOptions,
): Promise<void> {
  const { cwd, signal } = options;
  requireFolder(cwd, "`run`");
  const mark = crypto.randomUUID();
  const kill = new KillController();
  const plain = build$({
    commandBuilder: new CommandBuilder().cwd(cwd).env(MARK, mark).signal(kill.signal)
      .stdin("null"),
  });
  const $ = logged(plain, options.log);
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      kill.kill("SIGTERM");
      endMarked(MARK, mark);
      reject(reasonOf(signal));
    };
  });
  stopped.catch(() => {});
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  const letGo = guard(`${MARK}=${mark}`);
  try {
    await Promise.race([Promise.resolve().then(() => run({ $, signal })), stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
    await letGo();
  }
}

/**
 * The same `$` whose commands print to the log where dax would print to our own output. Commands
 * that say where their output goes (`.text()`, `.stdout(…)`, `.quiet()`) are left as they are.
 */
function logged<T extends object>($: T, log: (line: string) => void): T {
  const originals = new WeakMap<object, unknown>();
  const original = (value: unknown): unknown =>
    typeof value === "object" && value !== null ? originals.get(value) ?? value : value;
  const toLog = () => new LineSplitter(log).writable();
  const wrapResult = (value: unknown, directed: Directed): unknown =>
    value instanceof CommandBuilder ? wrapCommand(value, directed) : value;
  const wrapCommand = (command: CommandBuilder, directed: Directed): CommandBuilder => {
    const proxy = new Proxy(command, {
      get(target, name) {
        const started = name === "then" || name === "spawn";
        const self = started ? direct(target, directed, toLog) : target;
        const value = Reflect.get(self, name, self);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          wrapResult(value.apply(self, args.map(original)), {
            stdout: directed.stdout || name === "stdout" || name === "quiet",
            stderr: directed.stderr || name === "stderr" || name === "quiet",
          });
      },
    });
    originals.set(proxy, command);
    return proxy;
  };
  const undirected = { stdout: false, stderr: false };
  return new Proxy($, {
    apply: (target, self, args: unknown[]) =>
      wrapResult(Reflect.apply(target as never, self, args.map(original)), undirected),
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return name === "raw" && typeof value === "function"
        ? (...args: unknown[]) => wrapResult(value.apply(target, args.map(original)), undirected)
        : value;
    },
  });
}

/** Which outputs a command has been given a place for. */
interface Directed {
  readonly stdout: boolean;
  readonly stderr: boolean;
}

function direct(
  command: CommandBuilder,
  directed: Directed,
  toLog: () => WritableStream<Uint8Array>,
): CommandBuilder {
  const withStdout = directed.stdout ? command : command.stdout(toLog());
  return directed.stderr ? withStdout : withStdout.stderr(toLog());
}

function reasonOf(signal: AbortSignal): Fault {
  return signal.reason instanceof Fault
    ? signal.reason
    : new Fault("Interrupted", { kind: "interrupted", cause: signal.reason });
}
