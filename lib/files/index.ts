/**
 * The stat index: what files held when they were last read, and the Merkle roots of the selections
 * made from them. While stats are unchanged a root is known without opening a file.
 */

import { lazy } from "../model/lazy.ts";
import type { Projection } from "../model/projection.ts";
import type { Selection, Tree } from "../model/selection.ts";
import type { LookedAt } from "./collect.ts";
import type { Folder } from "./folder.ts";
import { type IndexData, readIndexFile, writeIndexFile } from "./index_file.ts";
import { Listings, type Look, lookAt, lookAtRest } from "./look.ts";
import { PROJECTION_SCHEMA, ProjectionCache } from "./projection_cache.ts";

const collecting = lazy(() => import("./collect.ts"));

/** What may be said about a selection besides itself. */
export interface TreeOptions {
  /** Globs relative to the project's folder; what they match, and all below it, is left out. */
  readonly without?: readonly string[];
  /** Told now and then how many bytes of how many were read, where that takes a while. */
  readonly onRead?: (done: number, total: number) => void;
  /** Files of which only a part counts, by their paths without links. */
  readonly projections?: readonly Projection[];
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
  /** Absolute path of a folder that never is an input, where it has another name than `.images`. */
  readonly stateFolder: string | undefined;
  /** What projections of files came to. */
  readonly projections: ProjectionCache;
  /** Files of which a part was to count, and why all of it does. */
  readonly wholeFiles: Map<string, string> = new Map();
  readonly #stateFile: string;
  readonly #origin: () => string;
  readonly #data: IndexData;
  /** Folders as this run has seen them. */
  readonly #seen = new Map<string, Look | undefined>();
  readonly #listings = new Listings();
  /** Folders with files that were not looked at. */
  readonly #partial = new Map<string, Folder>();
  readonly #roots = new Map<string, Promise<string>>();
  readonly #trees = new Map<string, Promise<Tree>>();
  /** Positions of what this run has read although a later change may not show in the stat. */
  readonly #read = new Map<Folder, Set<number>>();
  /** Trees as they were collected, also before {@link FileIndex.fresh}. */
  readonly #collected = new Map<string, Tree>();
  readonly #lookedAt = new Set<string>();
  /** Folder → keys of snapshots that looked at it; made when the first is taken. */
  #users: Map<string, Set<string>> | undefined;
  #dirty = false;

  private constructor(
    projectRoot: string,
    stateFile: string,
    origin: () => string,
    stateFolder: string | undefined,
  ) {
    this.projectRoot = projectRoot;
    this.stateFolder = stateFolder;
    this.projections = new ProjectionCache(stateFolder);
    this.#stateFile = stateFile;
    this.#origin = origin;
    this.#data = readIndexFile(stateFile, origin());
  }

  /**
   * Opens the index of a project; one that is missing or cannot be read is empty.
   *
   * @param origin identifies the copy of the state that the file is in.
   * @param stateFolder absolute path of the state.
   */
  static open(
    projectRoot: string,
    stateFile: string,
    origin: () => string = () => "",
    stateFolder?: string,
  ): FileIndex {
    return new FileIndex(projectRoot, stateFile, origin, stateFolder);
  }

  /** The root of these selections if stats alone can tell it. Opens no file. */
  root(selections: readonly Selection[], options: TreeOptions = {}): string | undefined {
    return this.#known(keyOf(selections, options));
  }

  /** The same, if need be by reading files whose stats have changed; the entries are not kept. */
  async rootOf(selections: readonly Selection[], options: TreeOptions = {}): Promise<string> {
    const key = keyOf(selections, options);
    const root = this.#known(key);
    if (root !== undefined) return root;
    const tree = this.#trees.get(key);
    if (tree !== undefined) return (await tree).root;
    const known = this.#roots.get(key);
    if (known !== undefined) return await known;
    const computed = this.#collect(key, selections, options).then((tree) => tree.root);
    this.#roots.set(key, computed);
    return await computed;
  }

  /** The entries of these selections and their root. Reads only files whose stats have changed. */
  async tree(selections: readonly Selection[], options: TreeOptions = {}): Promise<Tree> {
    const key = keyOf(selections, options);
    const known = this.#trees.get(key);
    if (known !== undefined) return await known;
    const before = this.#collected.get(key);
    if (before !== undefined && this.#known(key) === before.root) return before;
    const tree = this.#collect(key, selections, options);
    this.#trees.set(key, tree);
    this.#collected.set(key, await tree);
    return await tree;
  }

  #known(key: string): string | undefined {
    const snapshot = this.#data.snapshots.get(key);
    if (snapshot === undefined) return undefined;
    if (!snapshot.folders.every((folder) => this.folder(folder)?.same)) return undefined;
    if (snapshot.used !== today()) {
      this.#data.snapshots.set(key, { ...snapshot, used: today() });
      this.#dirty = true;
    }
    return snapshot.root;
  }

  async #collect(
    key: string,
    selections: readonly Selection[],
    options: TreeOptions,
  ): Promise<Tree> {
    const { collect } = await collecting();
    const { tree, folders } = await collect(this, selections, options);
    this.#remember(key, tree.root, folders);
    return tree;
  }

  /** Forgets what this run has seen: the next question looks at the disk again. */
  fresh(): void {
    this.#seen.clear();
    this.#roots.clear();
    this.#trees.clear();
    this.#read.clear();
  }

  /** Whether anything was learnt that is not kept yet. */
  get isDirty(): boolean {
    return this.#dirty;
  }

  /** Keeps what was learnt; nothing is written where nothing was. */
  save(): void {
    if (!this.#dirty) return;
    writeIndexFile(this.#stateFile, this.#data, this.#origin());
    this.projections.save();
    this.#dirty = false;
  }

  /** Every folder that was looked at, or looked for, relative to the project's. */
  get lookedAt(): ReadonlySet<string> {
    return this.#lookedAt;
  }

  /** A folder as it is now, looked at once in a run; undefined where there is none. */
  folder(relative: string): Look | undefined {
    if (this.#seen.has(relative)) return this.#seen.get(relative);
    const { folders } = this.#data;
    const known = folders.get(relative);
    const look = lookAt(this.pathOf(relative), known, this.#listings);
    this.#seen.set(relative, look);
    this.#lookedAt.add(relative);
    if (look?.same) {
      if (look.own?.settled && !known?.hasNamesOf(look.own)) {
        known?.keep(look.own);
        this.#dirty = true;
      }
      return look;
    }
    if (folders.has(relative) && (look?.differs ?? known !== undefined)) {
      this.#forgetUsersOf(relative);
    }
    folders.set(relative, look?.folder);
    if (look?.partial) this.#partial.set(relative, look.folder);
    return look;
  }

  /** Where a folder is. */
  pathOf(relative: string): string {
    return relative === "" ? this.projectRoot : `${this.projectRoot}/${relative}`;
  }

  /** Looks at all that a folder holds, where that was put off. */
  lookAtRest(relative: string): void {
    const folder = this.#partial.get(relative);
    if (folder === undefined) return;
    this.#partial.delete(relative);
    lookAtRest(this.pathOf(relative), folder);
  }

  /** Says whether what an entry holds is not known. */
  mustRead(folder: Folder, at: number): boolean {
    return folder.rows.mustRead(folder.row(at)) && !this.#read.get(folder)?.has(at);
  }

  /**
   * Takes note of what an entry was found to hold.
   *
   * @param relative the folder's path.
   * @param begun when reading it began.
   */
  keep(relative: string, folder: Folder, at: number, content: string, begun: number): void {
    const { rows } = folder;
    const row = folder.row(at);
    const before = rows.content(row);
    if (before !== undefined && before !== content) this.#forgetUsersOf(relative);
    if (rows.setContent(row, content, begun)) return;
    const read = this.#read.get(folder);
    if (read === undefined) this.#read.set(folder, new Set([at]));
    else read.add(at);
  }

  /** Not where a folder was looked at once more meanwhile: the root may be of what it was before. */
  #remember(key: string, root: string, lookedAt: LookedAt): void {
    for (const [relative, folder] of lookedAt) {
      if (this.#data.folders.get(relative) !== folder) return;
      this.lookAtRest(relative);
    }
    const folders = [...lookedAt.keys()];
    this.#data.snapshots.set(key, { root, folders, used: today() });
    this.#use(key, folders);
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
    this.#dirty = true;
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

function keyOf(
  selections: readonly Selection[],
  { without = [], projections = [] }: TreeOptions,
): string {
  return projections.length === 0
    ? JSON.stringify([selections, without])
    : JSON.stringify([selections, without, PROJECTION_SCHEMA, projections]);
}

function today(): number {
  return Math.floor(Date.now() / 86_400_000);
}
