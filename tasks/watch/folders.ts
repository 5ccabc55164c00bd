/** Watching folders, each by itself: what is below them matters only where it was looked at too. */

import { Fault } from "../../lib/model/errors.ts";

/** Silence after which changes count as one, in milliseconds. */
const SILENCE = 60;

/** How long changes are gathered at most, in milliseconds. */
const PATIENCE = 1_000;

/** Folders under watch. */
export class WatchedFolders {
  readonly #ignored: readonly string[];
  #watcher: Deno.FsWatcher | undefined;
  /** Which folder was at each path. */
  #folders: ReadonlyMap<string, string> = new Map();
  readonly #changed = new Set<string>();
  #wake = Promise.withResolvers<void>();

  /** @param ignored absolute paths; changes at and below them do not count. */
  constructor(ignored: readonly string[]) {
    this.#ignored = ignored;
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#folders.size;
  }

  /**
   * Watches these folders from now on; of one that is not there, what would hold it.
   *
   * @returns whether it watches others than before: what changed just now may not have been told.
   * @throws {Fault} where the system cannot watch so many.
   */
  watch(wanted: Iterable<string>): boolean {
    const folders = new Map([...wanted].map(existing));
    const same = folders.size === this.#folders.size &&
      [...folders].every(([path, which]) => this.#folders.get(path) === which);
    if (same) return false;
    const before = this.#watcher;
    this.#watcher = open([...folders.keys()]);
    this.#folders = folders;
    void this.#listen(this.#watcher);
    before?.close();
    return true;
  }

  /** Waits for a change; once there was silence for a moment, answers with what has changed. */
  async changes(signal: AbortSignal): Promise<string[]> {
    await until(this.#wake.promise, signal);
    const begun = performance.now();
    while (!signal.aborted && performance.now() - begun < PATIENCE) {
      this.#wake = Promise.withResolvers();
      const silence = await Promise.race([
        pause(SILENCE).then(() => true),
        this.#wake.promise.then(() => false),
      ]);
      if (silence) break;
    }
    this.#wake = Promise.withResolvers();
    const changed = [...this.#changed].sort();
    this.#changed.clear();
    return changed;
  }

  /** Watches no more. */
  close(): void {
    this.#watcher?.close();
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind, paths } of watcher) {
      if (kind === "access") continue;
      for (const path of paths) {
        if (this.#ignored.some((each) => path === each || path.startsWith(`${each}/`))) continue;
        this.#changed.add(path);
        this.#wake.resolve();
      }
    }
  }
}

/** Folders in which nobody mends anything. */
const MADE = new Set([".git", ".images", "node_modules"]);

/** A folder and all below it that people may change. */
export function* foldersBelow(folder: string): Generator<string> {
  yield folder;
  for (const entry of entriesOf(folder)) {
    if (entry.isDirectory && !MADE.has(entry.name)) yield* foldersBelow(`${folder}/${entry.name}`);
  }
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
}

function open(folders: readonly string[]): Deno.FsWatcher {
  try {
    return Deno.watchFs([...folders], { recursive: false });
  } catch (cause) {
    throw new Fault(`Cannot watch ${folders.length} folders: ${(cause as Error).message}`, {
      next: "raise fs.inotify.max_user_watches, or leave folders out of the inputs",
      cause,
    });
  }
}

/** The folder, or the nearest one above it that is there; and which one it is. */
function existing(path: string): [path: string, which: string] {
  let folder = path.replace(/\/+$/, "");
  let which = folderAt(folder || "/");
  while (folder !== "" && which === undefined) {
    folder = folder.slice(0, folder.lastIndexOf("/"));
    which = folderAt(folder || "/");
  }
  return [folder || "/", which ?? ""];
}

/** What tells a folder from another that was at its path before; undefined where there is none. */
function folderAt(path: string): string | undefined {
  try {
    const { isDirectory, dev, ino, birthtime } = Deno.statSync(path);
    return isDirectory ? `${dev}:${ino}:${birthtime?.getTime()}` : undefined;
  } catch {
    return undefined;
  }
}

async function until(event: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = () => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([event, promise]);
  signal.removeEventListener("abort", onAbort);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
