/** How adapters start an engine's program: its output watched, secrets kept out of the log. */

import type { BuildContext } from "../../../lib/model/plugin.ts";
import { engineFault } from "./failure.ts";
import { OutputWatcher } from "./output.ts";
import type { Redactor } from "./secrets.ts";

/** How a program ended. */
export interface Ended {
  /** Exit status. */
  readonly code: number;
  /** Standard output, where it was captured. */
  readonly stdout: string;
  /** The lines that went to standard error, where standard output was captured. */
  readonly stderr: readonly string[];
}

/** Starts programs for one build. */
export class Tooling {
  /** The build they are started for. */
  readonly context: BuildContext;
  readonly #redact: Redactor;
  #files = 0;

  constructor(context: BuildContext, redact: Redactor) {
    this.context = context;
    this.#redact = redact;
  }

  /** Asks a program something; nothing of it is logged. */
  async ask(command: readonly string[]): Promise<Ended> {
    const stderr: string[] = [];
    const { code, stdout } = await this.context.run(command, {
      capture: true,
      allowFailure: true,
      onLine: (line) => {
        stderr.push(line);
        return false;
      },
    });
    return { code, stdout, stderr };
  }

  /** The same for every build of a run: asked once. */
  askOnce(command: readonly string[]): Promise<Ended> {
    return this.once(`ask:${command.join(" ")}`, (tooling) => tooling.ask(command));
  }

  /** Does something once for all builds of a run, with tooling that outlives each of them. */
  once<T>(name: string, make: (tooling: Tooling) => Promise<T>): Promise<T> {
    return this.context.once(
      `dockerfile:${name}`,
      (context) => make(new Tooling(context, this.#redact)),
    );
  }

  /**
   * Runs a step of the build. Its output is logged without secrets, and handed to the watcher.
   *
   * @returns the exit status.
   */
  async run(
    command: readonly string[],
    watcher?: OutputWatcher,
    env: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    this.context.log(`$ ${command.map(quoted).join(" ")}`);
    const { code } = await this.context.run(command, {
      allowFailure: true,
      env: { SOURCE_DATE_EPOCH: String(this.context.created), ...env },
      onLine: (line) => {
        const clean = this.#redact(line);
        this.context.log(clean);
        watcher?.add(clean);
        return false;
      },
    });
    return code;
  }

  /** Hands an image to an engine. @throws {Fault} where it does not take it. */
  async give(engine: string, image: string, command: readonly string[]): Promise<void> {
    const watcher = new OutputWatcher(() => {});
    if (await this.run(command, watcher) === 0) return;
    const message = `${engine} does not take the image "${image}"`;
    throw engineFault(engine, message, watcher, this.context.logFile);
  }

  /** An absolute path in the build's scratch folder where nothing is yet. */
  async newPath(name: string): Promise<string> {
    return `${await this.context.scratch()}/${this.#files++}-${name}`;
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
