/**
 * The stat index: what files held when they were last read, and the Merkle roots of the selections
 * made from them. While stats are unchanged a root is known without opening a file.
 */

import { lazy } from "../model/lazy.ts";
import type { Selection, Tree } from "../model/selection.ts";
import { type Folder, holdsAll, type Indexed, lookAt } from "./folders.ts";
import { type IndexData, readIndexFile, writeIndexFile } from "./index_file.ts";
import { ReadFolder } from "./read_folder.ts";

const collecting = lazy(() => import("./collect.ts"));

/** What may be said about a selection besides itself. */
export interface TreeOptions {
  /** Globs relative to the project's folder; what they match, and all below it, is left out. */
  readonly without?: readonly string[];
  /** Told now and then how many bytes of how many were read, where that takes a while. */
  readonly onRead?: (done: number, total: number) => void;
}

/** A root that was computed, and the folders that were looked at for it. */
export interface Snapshot {
  readonly root: string;
  /** Relative to the project's folder; "" is the folder itself. */
  readonly folders: readonly string[];
  /** Day it was last used, in days since 1970. */
  readonly used: number;
}

/** The files of one project. */
export class FileIndex {
  /** Absolute path of the project's folder. */
  readonly projectRoot: string;
  readonly #stateFile: string;
  readonly #data: IndexData;
  /** Folders as this run has seen them. */
  readonly #seen = new Map<string, Folder | undefined>();
  readonly #trees = new Map<string, Promise<Tree>>();
  /** Trees as they were collected, also before {@link FileIndex.fresh}. */
  readonly #collected = new Map<string, Tree>();
  readonly #lookedAt = new Set<string>();
  /** Folder → keys of snapshots that looked at it; made when the first is taken. */
  #users: Map<string, Set<string>> | undefined;
  #dirty = false;

  private constructor(projectRoot: string, stateFile: string, data: IndexData) {
    this.projectRoot = projectRoot;
    this.#stateFile = stateFile;
    this.#data = data;
  }

  /** Opens the index of a project; one that is missing or cannot be read is empty. */
  static open(projectRoot: string, stateFile: string): FileIndex {
    return new FileIndex(projectRoot, stateFile, readIndexFile(stateFile));
  }

  /** The root of these selections if stats alone can tell it. Opens no file. */
  root(selections: readonly Selection[], options: TreeOptions = {}): string | undefined {
    const key = keyOf(selections, options);
    const snapshot = this.#data.snapshots.get(key);
    if (snapshot === undefined) return undefined;
    if (!snapshot.folders.every((folder) => this.folder(folder)?.same)) return undefined;
    if (snapshot.used !== today()) {
      this.#data.snapshots.set(key, { ...snapshot, used: today() });
      this.#dirty = true;
    }
    return snapshot.root;
  }

  /** The entries of these selections and their root. Reads only files whose stats have changed. */
  async tree(selections: readonly Selection[], options: TreeOptions = {}): Promise<Tree> {
    const key = keyOf(selections, options);
    const known = this.#trees.get(key);
    if (known !== undefined) return await known;
    const before = this.#collected.get(key);
    if (before !== undefined && this.root(selections, options) === before.root) return before;
    const { collect } = await collecting();
    const tree = collect(this, selections, options.without ?? [], options.onRead).then(
      ({ tree, folders }) => {
        this.#remember(key, { root: tree.root, folders, used: today() });
        this.#collected.set(key, tree);
        return tree;
      },
    );
    this.#trees.set(key, tree);
    return await tree;
  }

  /** Forgets what this run has seen: the next question looks at the disk again. */
  fresh(): void {
    this.#seen.clear();
    this.#trees.clear();
  }

  /** Whether anything was learnt that is not kept yet. */
  get isDirty(): boolean {
    return this.#dirty;
  }

  /** Keeps what was learnt; nothing is written where nothing was. */
  save(): void {
    if (!this.#dirty) return;
    writeIndexFile(this.#stateFile, this.#data);
    this.#dirty = false;
  }

  /** Every folder that was looked at, or looked for, relative to the project's. */
  get lookedAt(): ReadonlySet<string> {
    return this.#lookedAt;
  }

  /** A folder as it is now, looked at once in a run; undefined where there is none. */
  folder(relative: string): Folder | undefined {
    if (this.#seen.has(relative)) return this.#seen.get(relative);
    const path = relative === "" ? this.projectRoot : `${this.projectRoot}/${relative}`;
    const known = this.#data.folders.get(relative);
    const folder = lookAt(path, known);
    if (folder?.same && folder.own?.settled && !known?.hasNamesOf(folder.own)) {
      known?.keep(folder.own);
      this.#dirty = true;
    }
    this.#seen.set(relative, folder);
    this.#lookedAt.add(relative);
    return folder;
  }

  /** Takes note of what was read of a folder's entries; undefined is one that has just gone. */
  update(relative: string, changed: ReadonlyMap<string, Indexed | undefined>): void {
    const folder = this.folder(relative);
    const { listed } = folder ?? {};
    // What the index holds is compared with what is here now, so it must stay as it is.
    const isOurs = listed !== undefined && this.#data.folders.get(relative)?.entries() !== listed;
    const entries = isOurs ? listed : new Map(folder?.entries());
    for (const [name, entry] of changed) {
      if (entry === undefined) entries.delete(name);
      else entries.set(name, entry);
    }
    this.#seen.set(relative, { ...folder, entries: () => entries, listed: entries, same: false });
  }

  #remember(key: string, snapshot: Snapshot): void {
    for (const relative of snapshot.folders) {
      if (!this.#seen.has(relative)) continue;
      const folder = this.#seen.get(relative);
      if (folder?.same) continue;
      const before = this.#data.folders.get(relative)?.entries();
      const now = folder?.entries();
      // Many selections may have looked at the same folder.
      if (before === now) continue;
      if (before === undefined || now === undefined || !holdsAll(before, now)) {
        this.#forgetUsersOf(relative);
      }
      if (now === undefined) this.#data.folders.delete(relative);
      else this.#data.folders.set(relative, new ReadFolder(now, folder?.own));
    }
    this.#data.snapshots.set(key, snapshot);
    this.#use(key, snapshot.folders);
    this.#dirty = true;
  }

  /** Other selections' roots were made of what a folder held before: it no longer vouches for them. */
  #forgetUsersOf(folder: string): void {
    if (this.#users === undefined) {
      this.#users = new Map();
      for (const [key, { folders }] of this.#data.snapshots) this.#use(key, folders);
    }
    for (const key of this.#users.get(folder) ?? []) this.#data.snapshots.delete(key);
    this.#users.delete(folder);
  }

  #use(key: string, folders: readonly string[]): void {
    if (this.#users === undefined) return;
    for (const folder of folders) {
      const users = this.#users.get(folder);
      if (users === undefined) this.#users.set(folder, new Set([key]));
      else users.add(key);
    }
  }
}

function keyOf(selections: readonly Selection[], { without = [] }: TreeOptions): string {
  return JSON.stringify([selections, without]);
}

function today(): number {
  return Math.floor(Date.now() / 86_400_000);
}
