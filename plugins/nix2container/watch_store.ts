/** `attic watch-store` beside a build: what is new in the store goes to a cache at once. */

import { asFault } from "../../lib/model/errors.ts";
import type { BuildContext, BuildRequest } from "../../lib/model/plugin.ts";
import { allAborted } from "../../lib/model/together.ts";
import { runProcess } from "../../lib/process/run.ts";
import { which } from "../../lib/process/which.ts";
import { recipeOf } from "./options.ts";

/** How long it must have been silent after a build that made something, in milliseconds. */
const SILENCE = 3_000;

/** The most that is waited for it after a build, in milliseconds. */
const PATIENCE = 60_000;

/** A client that watches for one cache. */
class Watcher {
  readonly #stop = new AbortController();
  readonly #nobody: AbortSignal;
  readonly #ended: Promise<void>;
  #heard = performance.now();
  #isOver = false;

  constructor(cache: string, contexts: readonly BuildContext[]) {
    this.#nobody = allAborted(contexts.map(({ signal }) => signal));
    this.#ended = this.#watch(cache, contexts[0]!);
  }

  /** Waits until it has nothing to say any more, where there was something to send; then ends it. */
  async end(fresh: boolean): Promise<void> {
    const limit = performance.now() + PATIENCE;
    this.#heard = performance.now();
    for (;;) {
      const left = Math.min(this.#heard + SILENCE, limit) - performance.now();
      if (!fresh || this.#isOver || left <= 0) break;
      await this.#pause(left);
    }
    this.#stop.abort();
    await this.#ended;
  }

  async #watch(cache: string, context: BuildContext): Promise<void> {
    try {
      const { code } = await runProcess(["attic", "watch-store", cache], {
        cwd: context.root,
        signal: AbortSignal.any([this.#nobody, this.#stop.signal]),
        allowFailure: true,
        onLine: (line) => {
          this.#heard = performance.now();
          context.log(`attic> ${line}`);
        },
      });
      context.notice(`\`attic watch-store ${cache}\` ended by itself with status ${code}`);
    } catch (error) {
      if (!this.#stop.signal.aborted && !this.#nobody.aborted) {
        context.notice(`The cache "${cache}" is not filled: ${asFault(error).message}`);
      }
    } finally {
      this.#isOver = true;
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const time = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([time, this.#ended]);
    clearTimeout(timer);
  }
}

/**
 * Does something while `attic watch-store` runs for every cache that the recipes name. A missing
 * client, or one that fails, is a notice.
 *
 * @param work answers with whether anything new came into the store.
 */
export async function besideWatchers(
  requests: readonly BuildRequest[],
  work: () => Promise<boolean>,
): Promise<void> {
  const watchers = start(requests);
  let fresh = false;
  try {
    fresh = await work();
  } finally {
    await Promise.all(watchers.map((watcher) => watcher.end(fresh)));
  }
}

function start(requests: readonly BuildRequest[]): Watcher[] {
  const caches = new Map<string, BuildContext[]>();
  for (const { image, context } of requests) {
    const { watchStore } = recipeOf(image);
    if (watchStore === undefined) continue;
    caches.set(watchStore, [...caches.get(watchStore) ?? [], context]);
  }
  if (caches.size > 0 && which("attic") === undefined) {
    for (const [cache, [context]] of caches) {
      context!.notice(`attic is not installed, so the cache "${cache}" is not filled`);
    }
    return [];
  }
  return [...caches].map(([cache, contexts]) => new Watcher(cache, contexts));
}
