/**
 * A run's view of remote sources: what they are now, and their content. lib/sources is imported when
 * the first of these is asked for.
 */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { Progress } from "../model/plugin.ts";
import {
  commitOf,
  type RemoteSource,
  type SourceIdentity,
  type SourceState,
} from "../model/source.ts";
import { withLock } from "../store/lock.ts";
import type { Session } from "./session.ts";

/** Tells how far a download is. */
type Tell = (progress: Progress) => void;

/** The remote sources of one run. */
export class SourceAccess {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * What a source is now, and what makes the next check cheap; asked for once a run.
   *
   * @throws {Fault} where it cannot be had, or is not what the recipe expects.
   */
  async resolve(source: RemoteSource): Promise<SourceState> {
    const { kind, name, expected } = source;
    const state = await this.#session.once(`source ${kind} ${name}`, async () => {
      return kind === "git" ? await this.#commit(source) : (await this.#fetch(source)).state;
    });
    if (expected === undefined || commitOf(state.identity).startsWith(expected)) return state;
    throw new Fault(`${name} is at the commit ${commitOf(state.identity)}, not at ${expected}`, {
      next: "correct the checksum, or name another ref",
    });
  }

  /**
   * The content of a source as a key says it is: the path of a file, or of a folder that is made.
   *
   * @param to where nothing is yet, for files of git.
   */
  async content(
    source: RemoteSource,
    identity: SourceIdentity,
    to: () => Promise<string>,
    signal: AbortSignal,
    tell: Tell,
  ): Promise<string> {
    return source.kind === "git"
      ? await this.#checkOut(source, commitOf(identity), await to(), signal)
      : await this.#body(source, identity as Digest, signal, tell);
  }

  async #commit(source: RemoteSource): Promise<SourceState> {
    const { resolveRef } = await import("../sources/git.ts");
    const { name, ref } = source;
    const { signal } = this.#session;
    return { identity: `commit:${await resolveRef({ url: urlOf(source), name, ref, signal })}` };
  }

  /** Asks a URL; what it serves is in the cache afterwards, unless it did not change. */
  async #fetch(
    source: RemoteSource,
    { anew = false, tell, signal = this.#session.signal }: {
      readonly anew?: boolean;
      readonly tell?: Tell;
      readonly signal?: AbortSignal;
    } = {},
  ) {
    const [{ fetchUrl }, cache] = await Promise.all([import("../sources/http.ts"), this.#cache()]);
    const url = urlOf(source);
    const pinned = this.#session.circumstances.pinnedSources.get(source.name);
    const known = anew ? undefined : cache.last(url) ?? pinned;
    let done = 0;
    const result = await cache.take(async (write) => {
      const { state, downloaded } = await fetchUrl(url, {
        name: source.name,
        known,
        write,
        signal,
        env: Deno.env.toObject(),
        onBytes: (bytes, total) => {
          done += bytes;
          tell?.({
            phase: "pulling",
            done,
            unit: "bytes",
            ...(total === undefined ? {} : { total }),
          });
        },
      });
      return { state, ...(downloaded ? { digest: state.identity } : {}) };
    });
    cache.putLast(url, result.state);
    return result;
  }

  async #body(
    source: RemoteSource,
    digest: Digest,
    signal: AbortSignal,
    tell: Tell,
  ): Promise<string> {
    const cache = await this.#cache();
    const kept = cache.body(digest);
    if (kept !== undefined) return kept;
    const { state } = await this.#fetch(source, { anew: true, tell, signal });
    const path = cache.body(digest);
    if (path !== undefined) return path;
    if (source.fixed !== undefined) {
      throw new Fault(`${source.name} does not have the checksum that is written`, {
        where: `it is ${state.identity}, not ${digest}`,
        next: "correct --checksum, or find out why the file is another",
      });
    }
    throw new Fault(`${source.name} no longer has the digest ${digest}`, {
      next: "run with --pull, or `images pin --update` where it is pinned",
    });
  }

  async #checkOut(
    source: RemoteSource,
    commit: string,
    to: string,
    signal: AbortSignal,
  ): Promise<string> {
    // A commit beside a branch or tag says where that must be.
    if (source.fixed !== undefined && source.ref !== undefined) await this.resolve(source);
    const [{ checkOut }, cache] = await Promise.all([import("../sources/git.ts"), this.#cache()]);
    const { name, ref, keepGitDir = false, skipSubmodules = false } = source;
    const url = urlOf(source);
    await withLock(cache.lock(url), () =>
      checkOut({
        url,
        name,
        ref,
        signal,
        commit,
        to,
        repository: cache.repository(url),
        keepGitDir,
        submodules: !skipSubmodules,
      }), { signal });
    return to;
  }

  #cache() {
    return this.#session.once("source cache", async () => {
      const { SourceCache } = await import("../sources/cache.ts");
      return new SourceCache(this.#session.circumstances.state);
    });
  }
}

function urlOf({ name, url }: RemoteSource): string {
  if (url === undefined) throw new Error(`The URL of ${name} is not known`);
  return url;
}
