/** `attic watch-store` beside a build: what is new in the store goes to a cache at once. */

import { asFault } from "../../lib/model/errors.ts";
import type { BuildContext, BuildRequest } from "../../lib/model/plugin.ts";
import { allAborted } from "../../lib/model/together.ts";
import { runProcess } from "../../lib/process/run.ts";
import { which } from "../../lib/process/which.ts";
import { recipeOf } from "./options.ts";
import { nameIn, Uploads } from "./uploads.ts";

/** The most that a build waits for the client to say that it watches, in milliseconds. */
const START = 5_000;

/** The most that is waited after a build for the next path to be sent, in milliseconds. */
const PATIENCE = 60_000;

/** The most paths that a notice names. */
const NAMED = 3;

/** The client and the clock that watchers go by. */
export interface WatcherMeans {
  /** Whether the client is installed. */
  isInstalled(): boolean;
  /** Starts the client. */
  readonly run: typeof runProcess;
  /** Milliseconds since any moment. */
  now(): number;
  /** Waits for an event, but no longer than this. */
  wait(event: Promise<void>, milliseconds: number): Promise<void>;
}

const MEANS: WatcherMeans = {
  isInstalled: () => which("attic") !== undefined,
  run: runProcess,
  now: () => performance.now(),
  async wait(event, milliseconds) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const time = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([time, event]);
    clearTimeout(timer);
  },
};

/** A client that watches for one cache. */
class Watcher {
  readonly #cache: string;
  readonly #context: BuildContext;
  readonly #means: WatcherMeans;
  readonly #stop = new AbortController();
  readonly #nobody: AbortSignal;
  readonly #uploads = new Uploads();
  readonly #ended: Promise<void>;
  #isOver = false;
  /** Replaced each time that it says something. */
  #heard = Promise.withResolvers<void>();

  constructor(cache: string, contexts: readonly BuildContext[], means: WatcherMeans) {
    this.#cache = cache;
    this.#context = contexts[0]!;
    this.#means = means;
    this.#nobody = allAborted(contexts.map(({ signal }) => signal));
    this.#ended = this.#watch();
  }

  /** Waits for its first word: what is built before it watches, it does not see. */
  async begin(): Promise<void> {
    await this.#next(START);
  }

  /** Waits until it has sent all that was built, as long as it goes on; then ends it. */
  async end(built: readonly string[]): Promise<void> {
    this.#uploads.expect(built);
    let limit = this.#means.now() + PATIENCE;
    let left = this.#uploads.pending.length;
    while (left > 0 && !this.#isOver && this.#means.now() < limit) {
      await this.#next(limit - this.#means.now());
      if (this.#uploads.pending.length === left) continue;
      left = this.#uploads.pending.length;
      limit = this.#means.now() + PATIENCE;
    }
    this.#stop.abort();
    await this.#ended;
    if (!this.#nobody.aborted) this.#tell();
  }

  #tell(): void {
    const { failed, pending } = this.#uploads;
    for (const [path, fault] of failed) {
      this.#context.notice(
        `The cache "${this.#cache}" did not take ${nameIn(path)} (${fault}): ` +
          `\`attic push ${this.#cache} ${path}\` sends it again`,
      );
    }
    if (pending.length === 0) return;
    const more = pending.length > NAMED ? ` and ${pending.length - NAMED} more` : "";
    this.#context.notice(
      `The cache "${this.#cache}" may lack ${
        pending.slice(0, NAMED).map(nameIn).join(", ")
      }${more}: ` +
        `attic did not say that they are sent. \`attic push ${this.#cache} ${
          pending.slice(0, NAMED).join(" ")
        }\` sends what is missing`,
    );
  }

  async #watch(): Promise<void> {
    try {
      const { code } = await this.#means.run(["attic", "watch-store", this.#cache], {
        cwd: this.#context.root,
        signal: AbortSignal.any([this.#nobody, this.#stop.signal]),
        allowFailure: true,
        onLine: (line) => {
          this.#uploads.take(line);
          this.#heard.resolve();
          this.#context.log(`attic> ${line}`);
        },
      });
      this.#context.notice(
        `\`attic watch-store ${this.#cache}\` ended by itself with status ${code}`,
      );
    } catch (error) {
      if (!this.#stop.signal.aborted && !this.#nobody.aborted) {
        this.#context.notice(`The cache "${this.#cache}" is not filled: ${asFault(error).message}`);
      }
    } finally {
      this.#isOver = true;
    }
  }

  /** Waits for its next word or its end. */
  async #next(milliseconds: number): Promise<void> {
    await this.#means.wait(Promise.race([this.#heard.promise, this.#ended]), milliseconds);
    this.#heard = Promise.withResolvers();
  }
}

/**
 * Does something while `attic watch-store` runs for every cache that the recipes name, and waits
 * until what was built is sent. A missing client, one that fails, and paths that it may not have sent
 * are notices.
 *
 * @param work answers with the store paths that it built.
 */
export async function besideWatchers(
  requests: readonly BuildRequest[],
  work: () => Promise<readonly string[]>,
  means: WatcherMeans = MEANS,
): Promise<void> {
  const watchers = start(requests, means);
  let built: readonly string[] = [];
  try {
    await Promise.all(watchers.map((watcher) => watcher.begin()));
    built = await work();
  } finally {
    await Promise.all(watchers.map((watcher) => watcher.end(built)));
  }
}

function start(requests: readonly BuildRequest[], means: WatcherMeans): Watcher[] {
  const caches = new Map<string, BuildContext[]>();
  for (const { image, context } of requests) {
    const { watchStore } = recipeOf(image);
    if (watchStore === undefined) continue;
    caches.set(watchStore, [...caches.get(watchStore) ?? [], context]);
  }
  if (caches.size > 0 && !means.isInstalled()) {
    for (const [cache, [context]] of caches) {
      context!.notice(`attic is not installed, so the cache "${cache}" is not filled`);
    }
    return [];
  }
  return [...caches].map(([cache, contexts]) => new Watcher(cache, contexts, means));
}
