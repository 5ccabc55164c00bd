/**
 * The files git tracks, read from its index without starting git.
 *
 * @see https://git-scm.com/docs/index-format
 */

/** Bytes of an entry before its content's name. */
const STAT = 40;
const MODE_AT = 24;
const EXTENDED = 0x4000;
const ASSUME_VALID = 0x8000;
const SKIP_WORKTREE = 0x4000;

/** Kind of an entry that stands for a submodule's commit. */
const GITLINK = 0o160000;

/** A repository as its files show it. */
export interface Repository {
  /** Absolute path of the top folder of its work tree. */
  readonly top: string;
  /** Absolute path of its own git folder: where index and HEAD are. */
  readonly folder: string;
}

/** What an index says. */
export interface TrackedFiles {
  /** Paths of the files, below the top folder. */
  readonly files: readonly string[];
  /** Paths of the submodules, below the top folder. */
  readonly submodules: readonly string[];
  /**
   * Git is told not to look at some of the files, as in a sparse checkout: whatever the work tree
   * holds in their place is no change to it.
   */
  readonly unwatched: boolean;
}

/** The repository a folder is in, if it is in one. */
export function repositoryOf(folder: string): Repository | undefined {
  for (let top = folder;; top = top.slice(0, top.lastIndexOf("/")) || "/") {
    const own = gitFolder(top);
    if (own !== undefined) return { top, folder: own };
    if (top === "/") return undefined;
  }
}

/** What git tracks; undefined where the index is missing or of a kind not read here. */
export function trackedFiles(repository: Repository): TrackedFiles | undefined {
  const config = readIfThere(`${commonFolder(repository.folder)}/config`) ?? "";
  const hashLength = /^\s*objectformat\s*=\s*sha256/im.test(config) ? 32 : 20;
  try {
    return parseIndex(Deno.readFileSync(`${repository.folder}/index`), hashLength);
  } catch {
    return undefined;
  }
}

/** The files that say which commit is checked out, absolute. */
export function headFiles(repository: Repository): readonly string[] {
  const head = readIfThere(`${repository.folder}/HEAD`) ?? "";
  const ref = /^ref: (.+)$/m.exec(head)?.[1];
  const common = commonFolder(repository.folder);
  return [
    `${repository.folder}/HEAD`,
    ...(ref === undefined ? [] : [`${common}/${ref}`, `${common}/packed-refs`]),
  ];
}

/** The file beside the work tree that gives files attributes, absolute. */
export function attributesFile(repository: Repository): string {
  return `${commonFolder(repository.folder)}/info/attributes`;
}

/**
 * The entries of an index of version 2, 3 or 4; undefined for split and sparse ones.
 *
 * @param hashLength bytes of a content's name: 20 of SHA-1, 32 of SHA-256.
 */
export function parseIndex(bytes: Uint8Array, hashLength = 20): TrackedFiles | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x44495243) return undefined;
  const version = view.getUint32(4);
  if (version < 2 || version > 4) return undefined;
  const [files, submodules]: [string[], string[]] = [[], []];
  let unwatched = false;
  const decoder = new TextDecoder();
  const fixed = STAT + hashLength;
  let at = 12;
  let path = new Uint8Array(0);
  for (let left = view.getUint32(8); left > 0; left--) {
    const start = at;
    const flags = view.getUint16(at + fixed);
    at += fixed + 2;
    unwatched ||= (flags & ASSUME_VALID) !== 0;
    if ((flags & EXTENDED) !== 0) {
      unwatched ||= (view.getUint16(at) & SKIP_WORKTREE) !== 0;
      at += 2;
    }
    let keep = 0;
    if (version === 4) {
      const strip = readVarint(bytes, at);
      keep = path.length - strip.value;
      at = strip.next;
    }
    const end = bytes.indexOf(0, at);
    if (end < 0 || keep < 0) return undefined;
    const whole = new Uint8Array(keep + end - at);
    whole.set(path.subarray(0, keep));
    whole.set(bytes.subarray(at, end), keep);
    path = whole;
    const isFile = (view.getUint32(start + MODE_AT) & 0o170000) !== GITLINK;
    (isFile ? files : submodules).push(decoder.decode(path));
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
  }
  const extensions = extensionsOf(bytes, view, at, hashLength);
  if (extensions.includes("link") || extensions.includes("sdir")) return undefined;
  return { files, submodules, unwatched };
}

/** Git's varint of offsets: each further byte adds one before it shifts. */
function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let byte = bytes[at++]!;
  let value = byte & 0x7f;
  while (byte & 0x80) {
    byte = bytes[at++]!;
    value = ((value + 1) << 7) | (byte & 0x7f);
  }
  return { value, next: at };
}

function extensionsOf(bytes: Uint8Array, view: DataView, from: number, tail: number): string[] {
  const names: string[] = [];
  for (let at = from; at + 8 <= bytes.length - tail; at += 8 + view.getUint32(at + 4)) {
    names.push(new TextDecoder().decode(bytes.subarray(at, at + 4)));
  }
  return names;
}

/** `.git`, or the folder that a `.git` file of a worktree or submodule names. */
function gitFolder(top: string): string | undefined {
  const path = `${top === "/" ? "" : top}/.git`;
  try {
    if (Deno.statSync(path).isDirectory) return path;
  } catch {
    return undefined;
  }
  const named = /^gitdir: (.+)$/m.exec(readIfThere(path) ?? "")?.[1];
  if (named === undefined) return undefined;
  return named.startsWith("/") ? named : `${top}/${named}`;
}

/** Where a worktree's branches are: in the repository it belongs to. */
function commonFolder(folder: string): string {
  const named = readIfThere(`${folder}/commondir`)?.trim();
  if (named === undefined) return folder;
  return named.startsWith("/") ? named : `${folder}/${named}`;
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
