/** A folder that this run has read, and which the index will hold. */

import { type FolderStat, type Indexed, isSame, type KnownFolder, type Stat } from "./folders.ts";
import { type Columns, put, putFolder } from "./stored_folder.ts";

/** The entries as they were read. */
export class ReadFolder implements KnownFolder {
  readonly #entries: ReadonlyMap<string, Indexed>;
  #inOrder: readonly Indexed[] | undefined;
  #own: FolderStat | undefined;

  constructor(entries: ReadonlyMap<string, Indexed>, own?: FolderStat) {
    this.#entries = entries;
    this.#own = own;
  }

  get size(): number {
    return this.#entries.size;
  }

  get joined(): string {
    return [...this.#entries.keys()].map((name) => `${name}/`).join("");
  }

  get isSettled(): boolean {
    return this.#own?.settled ?? false;
  }

  name(at: number): string | undefined {
    return this.#at(at)?.name;
  }

  isFolder(at: number): boolean {
    return this.#at(at)?.type === "directory";
  }

  isSame(at: number, stat: Stat): boolean {
    const entry = this.#at(at);
    return entry !== undefined && isSame(entry, stat) &&
      (entry.content === undefined || entry.settled);
  }

  hasNamesOf({ mtime, ctime, inode }: FolderStat): boolean {
    const own = this.#own;
    return own !== undefined && own.settled && own.mtime === mtime && own.ctime === ctime &&
      own.inode === inode;
  }

  keep(own: FolderStat): void {
    this.#own = own;
  }

  entries(): ReadonlyMap<string, Indexed> {
    return this.#entries;
  }

  copyTo(columns: Columns, first: number): void {
    if (this.#own !== undefined) putFolder(columns, first, this.#own);
    let row = first + 1;
    for (const entry of this.#entries.values()) put(columns, row++, entry);
  }

  #at(position: number): Indexed | undefined {
    return (this.#inOrder ??= [...this.#entries.values()])[position];
  }
}
