/**
 * Remote content that was fetched, kept in the state's cache: bodies by digest, what URLs served
 * last, and git repositories. All of it can be fetched again.
 */

import { type Digest, hexOf, isDigest } from "../model/digest.ts";
import { isSourceIdentity, type SourceState } from "../model/source.ts";
import { sealed } from "../model/sealed.ts";
import { Sha256, sha256 } from "../oci/sha256.ts";
import { removeIfThere, writeAtomic } from "../store/atomic.ts";
import { readSealed } from "../store/records.ts";
import type { State } from "../store/state.ts";
import { removeLeftovers, TemporaryFile } from "../util/temporary.ts";

/** Size of the pieces a body is read in, in bytes. */
const CHUNK = 256 * 1024;

/** The cache of one project's sources. */
export class SourceCache {
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  /** What a URL served when it was last asked. */
  last(url: string): SourceState | undefined {
    const state = readSealed<SourceState>(this.#lastPath(url));
    return state !== undefined && isSourceIdentity(state.identity) ? state : undefined;
  }

  /** Keeps what a URL serves. */
  putLast(url: string, state: SourceState): void {
    this.#state.prepare();
    writeAtomic(this.#lastPath(url), sealed(state));
  }

  /** Where a body is; undefined where it is not here, or not as its digest says. */
  body(digest: Digest): string | undefined {
    const path = this.#bodyPath(digest);
    const found = digestOf(path);
    if (found === digest) return path;
    if (found !== undefined) removeIfThere(path);
    return undefined;
  }

  /** Takes a body into the cache, if `fetch` has written one and says what it is. */
  async take<T extends { readonly digest?: Digest }>(
    fetch: (write: (chunk: Uint8Array) => void) => Promise<T>,
  ): Promise<T> {
    this.#state.prepare();
    const folder = this.#path();
    Deno.mkdirSync(folder, { recursive: true });
    removeLeftovers(folder);
    using temporary = TemporaryFile.create(`${folder}/body`);
    const result = await fetch((chunk) => temporary.write(chunk));
    if (result.digest !== undefined) temporary.moveTo(this.#bodyPath(result.digest));
    return result;
  }

  /** Path of the bare repository that a git URL's commits are fetched into. */
  repository(url: string): string {
    return this.#path(`git-${hexOf(sha256(url)).slice(0, 32)}`);
  }

  /** Path of a lock for a git URL. */
  lock(url: string): string {
    return this.#state.path("locks", `git-${hexOf(sha256(url)).slice(0, 32)}`);
  }

  #lastPath(url: string): string {
    return this.#path(`${hexOf(sha256(url))}.json`);
  }

  #bodyPath(digest: Digest): string {
    if (!isDigest(digest)) throw new TypeError(`${digest} is no digest`);
    return this.#path(hexOf(digest));
  }

  #path(...parts: readonly string[]): string {
    return [this.#state.cache, "sources", ...parts].join("/");
  }
}

function digestOf(path: string): Digest | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  using _ = file;
  const hash = new Sha256();
  const buffer = new Uint8Array(CHUNK);
  for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest();
}
