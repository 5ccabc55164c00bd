/** A process that runs commands one after another: starting one for each takes longest in a test. */

import { fromFileUrl } from "@std/path";
import type { CommandOutcome } from "./project.ts";

/** Such a process. Its images.ts is loaded once, in the environment it was started in. */
export class Resident implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #mark = `\u001e${crypto.randomUUID()} `;
  readonly #stdout: Output;
  readonly #stderr: Output;

  /** Starts it in a folder; `options` are those of `deno run`. */
  constructor(cwd: string, env: Readonly<Record<string, string>>, options: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...options, fromFileUrl(new URL("commands.ts", import.meta.url)), this.#mark],
      cwd,
      env: { ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new Output(this.#child.stdout, this.#mark);
    this.#stderr = new Output(this.#child.stderr, this.#mark);
  }

  /** Runs a command to its end; the one before has ended. */
  async run(args: readonly string[]): Promise<CommandOutcome> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${JSON.stringify(args)}\n`));
    writer.releaseLock();
    const [stdout, stderr] = await Promise.all([this.#stdout.next(), this.#stderr.next()]);
    return { code: Number(stdout.after), stdout: stdout.text, stderr: stderr.text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await Promise.all([this.#stdout.close(), this.#stderr.close(), this.#child.status]);
  }
}

/** One of its outputs, cut at the marks. */
class Output {
  readonly #chunks: ReadableStreamDefaultReader<string>;
  readonly #mark: string;
  #rest = "";

  constructor(stream: ReadableStream<Uint8Array>, mark: string) {
    this.#chunks = stream.pipeThrough(new TextDecoderStream()).getReader();
    this.#mark = mark;
  }

  /** What was written before the next mark, and what follows the mark on its line. */
  async next(): Promise<{ readonly text: string; readonly after: string }> {
    for (;;) {
      const at = this.#rest.indexOf(this.#mark);
      const end = at < 0 ? -1 : this.#rest.indexOf("\n", at);
      if (end >= 0) {
        const text = this.#rest.slice(0, at);
        const after = this.#rest.slice(at + this.#mark.length, end);
        this.#rest = this.#rest.slice(end + 1);
        return { text, after };
      }
      const { done, value } = await this.#chunks.read();
      if (done) throw new Error(`The command line ended by itself: ${this.#rest}`);
      this.#rest += value;
    }
  }

  async close(): Promise<void> {
    while (!(await this.#chunks.read()).done);
  }
}
