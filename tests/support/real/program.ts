/** Starting real programs in tests: some to their end, some until they are ready to serve. */

/** How a program is started. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program left behind. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end.
 *
 * @throws {Error} with what it printed, when it ends with another status than 0, unless
 * `allowFailure`.
 */
export async function runTool(
  command: readonly string[],
  options: ProgramOptions & { readonly allowFailure?: boolean } = {},
): Promise<Finished> {
  const output = await prepare(command, options).output();
  const finished = {
    code: output.code,
    stdout: new TextDecoder().decode(output.stdout),
    stderr: new TextDecoder().decode(output.stderr),
  };
  if (output.code === 0 || options.allowFailure) return finished;
  throw new Error(
    `${command.join(" ")} ended with status ${output.code}\n${finished.stdout}${finished.stderr}`,
  );
}

/** A program that serves until it is stopped. */
export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** The match of `ready` in the line that told it was ready. */
  readonly ready: RegExpExecArray;
  /** All lines it has printed so far. */
  readonly lines: readonly string[];
  /** Asks it to end, and waits for that. */
  stop(signal?: Deno.Signal): Promise<void>;
}

/** Starts a program and waits for the line of its output that says it serves. */
export async function startServer(
  command: readonly string[],
  ready: RegExp,
  options: ProgramOptions = {},
): Promise<Server> {
  const child = prepare(command, options).spawn();
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
  const drained = Promise.all(
    [child.stdout, child.stderr].map((stream) =>
      eachLine(stream, (line) => {
        lines.push(line);
        const match = ready.exec(line);
        if (match) resolve(match);
      })
    ),
  );
  const ended = Promise.all([child.status, drained]).then(([status]) => {
    reject(
      new Error(`${command.join(" ")} ended with status ${status.code}\n${lines.join("\n")}`),
    );
  });
  const stop = async (signal: Deno.Signal = "SIGTERM") => {
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    await ended;
  };
  return {
    pid: child.pid,
    ready: await promise,
    lines,
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

function prepare(
  [program = "", ...args]: readonly string[],
  { cwd, env }: ProgramOptions,
): Deno.Command {
  return new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env },
  });
}

/** Calls back for each line of a stream of UTF-8. */
export async function eachLine(
  stream: ReadableStream<Uint8Array>,
  each: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) each(line);
  }
  if (rest !== "") each(rest);
}
