/** A stage while its instructions are carried out. */

import type { LocalImage } from "../../../lib/model/image.ts";
import type { History } from "../../../lib/model/oci.ts";
import type { Scope } from "../plan/scope.ts";
import type { Drafting } from "./config.ts";
import { cleanAbsolute, type Rootfs } from "./rootfs.ts";
import type { Changes } from "./write.ts";

/** What a stage begins with. */
export interface StageStart {
  readonly draft: Drafting;
  readonly scope: Scope;
  /** The image whose layers are passed on; undefined is none. */
  readonly base: LocalImage | undefined;
  readonly history: readonly History[];
  /** Changes of the stages it is built on. */
  readonly changes: readonly Changes[];
  /** Opens a tree of its own with the files it begins with. */
  readonly open: () => Promise<Rootfs>;
}

/** A stage's config, history and files. Its files are only looked at where something needs them. */
export class StageState {
  readonly draft: Drafting;
  readonly scope: Scope;
  readonly base: LocalImage | undefined;
  readonly history: History[];
  readonly changes: Changes[];
  readonly #open: () => Promise<Rootfs>;
  readonly #unapplied: Changes[] = [];
  #tree: Rootfs | undefined;

  constructor(start: StageStart) {
    this.draft = start.draft;
    this.scope = start.scope;
    this.base = start.base;
    this.history = [...start.history];
    this.changes = [...start.changes];
    this.#open = start.open;
  }

  /** The files as they are now. */
  async tree(): Promise<Rootfs> {
    this.#tree ??= await this.#open();
    for (const changes of this.#unapplied.splice(0)) overlay(this.#tree, changes);
    return this.#tree;
  }

  /** Keeps what an instruction changed in the tree as a layer. */
  commitTree(tree: Rootfs, line: string, created: string): void {
    this.#commit(tree.takeChanges(), line, created);
  }

  /** Lays a tree's changes over the files without looking at them, as `--link` does. */
  commitLinked(tree: Rootfs, line: string, created: string): void {
    const changes = tree.takeChanges();
    this.#unapplied.push(changes);
    this.#commit(changes, line, created);
  }

  /** Records an instruction that changed no files. */
  note(line: string, created: string): void {
    this.history.push({ created, created_by: line, empty_layer: true });
  }

  /**
   * Adds a layer without files: a manifest has at least one.
   *
   * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
   */
  addEmptyLayer(): void {
    const { empty_layer: _, ...last } = this.history.pop() ?? { created_by: "FROM scratch" };
    this.history.push(last);
    this.changes.push(new Map());
  }

  #commit(changes: Changes, line: string, created: string): void {
    if (changes.size === 0) return this.note(line, created);
    this.changes.push(changes);
    this.history.push({ created, created_by: line });
  }
}

/** Lays changes over a tree as unpacking their layer would, so that they take the place of all. */
function overlay(tree: Rootfs, changes: Changes): void {
  for (const [path, node] of changes) {
    const there = tree.lookup(path);
    if (there !== undefined && !(there.type === "directory" && node.type === "directory")) {
      tree.remove(path);
    }
    tree.put(
      cleanAbsolute(path),
      node.type === "directory" ? { ...node, children: new Map() } : node,
    );
  }
  tree.takeChanges();
}
