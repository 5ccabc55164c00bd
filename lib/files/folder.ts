/** What is known of a folder: the names in it, and a row for each. */

import type { FolderStat, Rows } from "./rows.ts";

/** A folder of the index; an entry's position is that in the order in which they were listed. */
export class Folder {
  readonly rows: Rows;
  /** The folder's own row; its entries' follow. */
  readonly first: number;
  readonly size: number;
  #names: readonly string[] | undefined;
  #joined: string | undefined;
  #positions: ReadonlyMap<string, number> | undefined;

  private constructor(rows: Rows, first: number, size: number) {
    this.rows = rows;
    this.first = first;
    this.size = size;
  }

  /** A folder with these names, whose rows are filled. */
  static listed(rows: Rows, first: number, names: readonly string[]): Folder {
    const folder = new Folder(rows, first, names.length);
    folder.#names = names;
    return folder;
  }

  /** The same from the index on disk, which has the names as {@link Folder.joined} gave them. */
  static stored(rows: Rows, first: number, size: number, joined: string): Folder {
    const folder = new Folder(rows, first, size);
    folder.#joined = joined;
    return folder;
  }

  /** The names, each followed by `/`. */
  get joined(): string {
    return this.#joined ??= this.size === 0 ? "" : `${this.names.join("/")}/`;
  }

  /** The names, in the order in which they were listed. */
  get names(): readonly string[] {
    return this.#names ??= this.#joined!.split("/", this.size);
  }

  /** Row of an entry. */
  row(at: number): number {
    return this.first + 1 + at;
  }

  /** Position of a name; undefined where it is not here. */
  position(name: string): number | undefined {
    this.#positions ??= new Map(this.names.map((each, at) => [each, at]));
    return this.#positions.get(name);
  }

  /** Says whether an entry is a folder. */
  isFolder(at: number): boolean {
    return this.rows.type(this.row(at)) === "directory";
  }

  /** Says whether this is the folder's stat, by which it still holds the names it held. */
  hasNamesOf(own: FolderStat): boolean {
    return this.rows.isOwn(this.first, own);
  }

  /** Keeps the stat under which the folder holds these names. */
  keep(own: FolderStat): void {
    this.rows.setOwn(this.first, own);
  }
}
