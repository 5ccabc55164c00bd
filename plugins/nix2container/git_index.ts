/**
 * The files git tracks, read from its index without starting git.
 *
 * @see https://git-scm.com/docs/index-format
 */

/** Bytes of an entry before its flags, with the 20 bytes of a SHA-1. */
const FIXED = 60;
const HASH_AT = 40;
const EXTENDED = 0x4000;

/** A tracked file. */
export interface TrackedFile {
  /** Path below the repository's top folder. */
  readonly path: string;
  /** Name of the staged content, as hex. */
  readonly blob: string;
}

/** A repository as its files show it. */
export interface Repository {
  /** Absolute path of the top folder of its work tree. */
  readonly top: string;
  /** Absolute path of its own git folder: where index and HEAD are. */
  readonly folder: string;
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
export function trackedFiles(repository: Repository): readonly TrackedFile[] | undefined {
  try {
    return parseIndex(Deno.readFileSync(`${repository.folder}/index`));
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

/** A parsed index of version 2, 3 or 4; undefined for split and sparse ones and SHA-256. */
export function parseIndex(bytes: Uint8Array): readonly TrackedFile[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x44495243) return undefined;
  const version = view.getUint32(4);
  if (version < 2 || version > 4) return undefined;
  const files: TrackedFile[] = [];
  let at = 12;
  let path = new Uint8Array(0);
  for (let left = view.getUint32(8); left > 0; left--) {
    const start = at;
    const flags = view.getUint16(at + FIXED);
    at += FIXED + 2 + ((flags & EXTENDED) !== 0 ? 2 : 0);
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
    files.push({
      path: new TextDecoder().decode(path),
      blob: bytes.subarray(start + HASH_AT, start + FIXED).toHex(),
    });
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
  }
  return hasExtension(bytes, view, at, "link") || hasExtension(bytes, view, at, "sdir")
    ? undefined
    : files;
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

function hasExtension(bytes: Uint8Array, view: DataView, from: number, name: string): boolean {
  for (let at = from; at + 8 < bytes.length - 20; at += 8 + view.getUint32(at + 4)) {
    if (new TextDecoder().decode(bytes.subarray(at, at + 4)) === name) return true;
  }
  return false;
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
