/** Which files count: data that can be hashed, printed and compared. */

/** A choice of files below one folder. Paths are `/`-separated and relative. */
export interface Selection {
  /** Folder the patterns are relative to, itself relative to images.ts' folder. */
  readonly root: string;
  /**
   * Patterns of what is taken. A pattern that matches a folder takes everything below it.
   * `["**"]` is everything.
   */
  readonly include: readonly string[];
  /** Patterns of what is left out again; same syntax as `include`. */
  readonly exclude?: readonly string[];
  /**
   * How `include` and `exclude` are read: `glob` (`**`, `*`, `?`, `[…]`, `{a,b}`; dot files match),
   * `go` (Go's `filepath.Match`, as Dockerfiles use it: no `**`, no braces) or `ignore` (the same
   * with `**`, as in a .dockerignore).
   * @default "glob"
   */
  readonly syntax?: "glob" | "go" | "ignore";
  /** Patterns of a .dockerignore, cleaned, in their order; what they hide is not selected. */
  readonly dockerignore?: readonly string[];
  /** More patterns of that kind, which stand for themselves: what either hides is not selected. */
  readonly hidden?: readonly string[];
  /** Takes `.git` folders too. `.images` is never taken. @default false */
  readonly git?: boolean;
  /**
   * Takes only files that git tracks, whatever state they are in. Where the root is in no repository
   * it changes nothing. @default false
   */
  readonly tracked?: boolean;
  /** Prefix of the selected paths in the input tree, e.g. `docs/`, where several trees are joined. */
  readonly as?: string;
  /**
   * What of the selected counts: `all`; `files`, where folders are no entries of their own;
   * `names`, where only what is there counts and not what it holds; or `kinds`, where only what is
   * there counts and where links lead, and nothing below a folder that matches.
   * @default "all"
   */
  readonly takes?: "all" | "files" | "names" | "kinds";
}

/** One selected file, folder or link. */
export interface Entry {
  /** Path below the selection's root (with the selection's `as` in front), `/`-separated. */
  readonly path: string;
  /** What it is; links are not followed. */
  readonly type: "file" | "directory" | "symlink";
  /** The owner may execute it (files only; git's executable bit). */
  readonly executable: boolean;
  /** Size in bytes (files only, else 0). */
  readonly size: number;
  /** sha256 of a file's content, as 64 hex digits; undefined where it does not count. */
  readonly digest?: string;
  /** A link's target, as it is written; undefined where only its name counts. */
  readonly target?: string;
}

/** An input tree: the selected entries, sorted by path in code-point order, and their Merkle root. */
export interface Tree {
  /** sha256 over the entries (path, type, executable bit, digest or target), 64 hex digits. */
  readonly root: string;
  /** The entries, sorted by path. */
  readonly entries: readonly Entry[];
  /** Paths of pipes, sockets and devices that were selected: they are no entries. */
  readonly special?: readonly string[];
}
