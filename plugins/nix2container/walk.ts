/** Walks a layer's paths as Go's `filepath.Walk` does: the folder first, names in byte order. */

import { Fault } from "../../lib/model/errors.ts";
import { clean, compareBytes, isRaw, nameBelow } from "./byte_paths.ts";
import { listRaw, lstatRaw, readLinkRaw } from "./raw_files.ts";

/** Something that was found. Paths are strings as byte_paths.ts makes them. */
export interface Found {
  /** The path as image.json names it: what rewrites and perms see. */
  readonly source: string;
  /** The path where it is now. */
  readonly disk: string;
  readonly type: "file" | "directory" | "symlink";
  /** Permission bits with suid, sgid and sticky; 0777 for links. */
  readonly mode: number;
  /** Bytes of a file, else 0. */
  readonly size: number;
  /** A link's target. */
  readonly target?: string;
  /** When its content was changed last, in milliseconds since 1970. */
  readonly modified: number;
  /** When anything of it was changed last, in milliseconds since 1970. */
  readonly changed: number;
}

/** Mode bits below the type. */
const PERMISSIONS = 0o7777;

/** What a decoder leaves where bytes are no UTF-8. */
const REPLACEMENT = "\ufffd";

/** Where paths are: those that are not absolute are below `base`, absolute ones below `storeRoot`. */
export interface Whereabouts {
  /** Absolute path of the folder that image.json is in. */
  readonly base: string;
  /** Absolute path of the root of a store that is not at `/`; empty where it is. */
  readonly storeRoot: string;
}

/** Where a path of image.json is now. */
export function diskPath(path: string, at: Whereabouts): string {
  return path.startsWith("/") ? at.storeRoot + path : `${at.base}/${path}`;
}

/**
 * Everything at and below a path; links are not followed.
 *
 * @throws {Fault} when something cannot be read, or is neither file, folder nor link.
 */
export function* walk(source: string, at: Whereabouts): Generator<Found> {
  const left = [{ source, disk: diskPath(source, at) }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const found = look(next.source, next.disk);
    yield found;
    if (found.type !== "directory") continue;
    const folder = clean(found.source);
    const names = namesIn(found.disk);
    for (let each = names.length - 1; each >= 0; each--) {
      const name = names[each]!;
      left.push({ source: nameBelow(folder, name), disk: `${found.disk}/${name}` });
    }
  }
}

function look(source: string, disk: string): Found {
  let info: Deno.FileInfo;
  try {
    info = isRaw(disk) ? lstatRaw(disk) : Deno.lstatSync(disk);
  } catch (cause) {
    throw unreadable(disk, cause);
  }
  const type = info.isFile ? "file" : info.isDirectory ? "directory" : info.isSymlink && "symlink";
  if (!type) {
    throw new Fault("Only files, folders and links can be in a layer", {
      where: disk,
      next: "leave it out of the paths of the image",
    });
  }
  return {
    source,
    disk,
    type,
    mode: type === "symlink" ? 0o777 : (info.mode ?? 0) & PERMISSIONS,
    size: type === "file" ? info.size : 0,
    ...(type === "symlink" ? { target: targetOf(disk) } : {}),
    modified: info.mtime?.getTime() ?? 0,
    changed: info.ctime?.getTime() ?? 0,
  };
}

function targetOf(disk: string): string {
  if (isRaw(disk)) return readLinkRaw(disk);
  try {
    return Deno.readLinkSync(disk);
  } catch {
    // Deno reads no target that is not UTF-8.
    return readLinkRaw(disk);
  }
}

function namesIn(disk: string): string[] {
  try {
    const names = isRaw(disk) ? listRaw(disk) : Array.from(Deno.readDirSync(disk), (e) => e.name);
    const lost = names.some((name) => name.includes(REPLACEMENT));
    return (lost ? listRaw(disk) : names).sort(compareBytes);
  } catch (cause) {
    throw unreadable(disk, cause);
  }
}

function unreadable(disk: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const missing = cause instanceof Deno.errors.NotFound;
  return new Fault(missing ? "The path is not there" : "The path cannot be read", {
    where: disk,
    next: missing
      ? "build the image again: the store has lost it since, or never had it"
      : "check its permissions",
    cause,
  });
}
