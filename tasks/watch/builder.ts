/** The worker that builds for a watch, from the outside. */

import type { BuildOptions } from "../build.ts";
import type { Answer, Order } from "./messages.ts";

/** How long a worker may take to end what it started, in milliseconds. */
const PATIENCE = 1_000;

/** How a round ended. */
export type Round = Answer & { readonly kind: "done" };

/** Builds round after round; each worker loads images.ts once. */
export class Builder {
  #options: BuildOptions;
  readonly #targets: readonly string[];
  #worker: Worker | undefined;
  /** Stats of the modules that the worker has loaded. */
  #loaded = "";
  /** Folders of the last round that got as far as looking at any. */
  #folders: readonly string[] = [];

  /** @param targets as they were typed. */
  constructor(options: BuildOptions, targets: readonly string[]) {
    this.#options = options;
    this.#targets = targets;
  }

  /**
   * Builds what is not up to date. A round that fails before it looks keeps the folders it had.
   *
   * @param modules absolute paths of what images.ts is made of: a change of one loads all again.
   */
  async round(
    modules: readonly string[],
    changed: readonly string[],
    show: boolean,
  ): Promise<Round> {
    const present = modules.map(stampOf).join();
    if (present !== this.#loaded) this.close();
    this.#loaded = present;
    const worker = this.#worker ??= this.#start();
    const { promise, resolve, reject } = Promise.withResolvers<Round>();
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.kind === "done") resolve(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    this.#order(worker, { kind: "round", changed, show });
    const done = await promise;
    if (done.folders.length > 0) this.#folders = done.folders;
    // A module that failed to load would fail from memory ever after.
    else this.close();
    return { ...done, folders: this.#folders };
  }

  /** Ends a round that is under way, in order. */
  stop(): void {
    if (this.#worker !== undefined) this.#order(this.#worker, { kind: "stop" });
  }

  /** Ends what was started, at once. */
  async kill(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const killed = new Promise<void>((resolve) => {
      worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
        if (data.kind === "killed") resolve();
      });
    });
    this.#order(worker, { kind: "kill" });
    await Promise.race([killed, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  }

  /** Ends the worker. */
  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#order(worker, { kind: "begin", options: this.#options, targets: this.#targets });
    // Only what stands at the beginning is built by force.
    this.#options = { ...this.#options, force: false };
    return worker;
  }

  #order(worker: Worker, order: Order): void {
    worker.postMessage(order);
  }
}

function stampOf(path: string): string {
  try {
    const { size, mtime, ino } = Deno.statSync(path);
    return [path, size, mtime?.getTime(), ino].join(" ");
  } catch {
    return path;
  }
}
