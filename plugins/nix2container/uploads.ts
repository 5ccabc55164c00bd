/**
 * Which store paths `attic watch-store` has sent, read from what it prints: one line for each when its
 * upload is over, nothing meanwhile, and nothing of paths that the cache already has.
 *
 * @see https://github.com/zhaofengli/attic/blob/main/client/src/push.rs
 */

/** What became of store paths. */
export class Uploads {
  /** Lines about paths so far, each for one path: `hash-name`, or only the name. */
  readonly #said: { readonly name: string; readonly fault?: string }[] = [];
  #pending: string[] = [];
  readonly #failed = new Map<string, string>();

  /** Paths that are waited for and that nothing was said of. */
  get pending(): readonly string[] {
    return this.#pending;
  }

  /** Paths that could not be sent, and why. */
  get failed(): ReadonlyMap<string, string> {
    return this.#failed;
  }

  /** Waits for these store paths, but those that attic does not watch for. */
  expect(paths: readonly string[]): void {
    this.#pending = [...new Set(paths)].filter((path) => !path.endsWith("-source"));
    this.#said.splice(0).forEach((each) => this.#settle(each));
  }

  /** Takes a line that attic printed; answers whether a path is waited for no longer. */
  take(line: string): boolean {
    const [, name, fault] = /^\s*✅ (\S+)/.exec(line) ?? /^\s*❌ (\S+): (.*)$/.exec(line) ?? [];
    if (name === undefined) return false;
    return this.#settle(fault === undefined ? { name } : { name, fault });
  }

  #settle(said: { readonly name: string; readonly fault?: string }): boolean {
    const { name, fault } = said;
    const path = this.#pending.find((path) => path.endsWith(`/${name}`)) ??
      this.#pending.find((path) => nameIn(path) === name);
    if (path === undefined) {
      this.#said.push(said);
      return false;
    }
    this.#pending = this.#pending.filter((each) => each !== path);
    if (fault !== undefined) this.#failed.set(path, fault);
    return true;
  }
}

/** A store path's name without folder and hash. */
export function nameIn(path: string): string {
  return path.replace(/^.*\//, "").replace(/^[0-9a-z]{32}-/, "");
}
