/**
 * Reading files at paths that a repository or a person names. Opening a named pipe waits, in a
 * synchronous call for ever and deaf to signals, and a device such as /dev/zero has no end, so what
 * is there is looked at before it is opened.
 */

import { Fault } from "../model/errors.ts";

/** Bytes of the largest text that is read, as it must find room in memory several times. */
const LARGEST_TEXT = 128 * 1024 * 1024;

/**
 * The stat of what a path leads to.
 *
 * @throws {Fault} where that is a named pipe, a socket or a device other than /dev/null.
 */
export function statReadable(path: string): Deno.FileInfo {
  const info = Deno.statSync(path);
  refuseSpecialFile(path, info);
  return info;
}

/** Refuses what is neither a file nor a folder, by its stat. @throws {Fault} */
export function refuseSpecialFile(path: string, info: Deno.FileInfo): void {
  const kind = specialKind(info);
  if (kind === undefined) return;
  throw new Fault(`It is ${kind}, where a file should be`, {
    where: path,
    next: "put a regular file in its place, or remove it",
  });
}

/** Reads a file. @throws {Fault} where it is a named pipe, a socket or a device. */
export function readRegularFile(path: string): Uint8Array<ArrayBuffer> {
  statReadable(path);
  return Deno.readFileSync(path);
}

/**
 * Reads a file as UTF-8.
 *
 * @throws {Fault} where it is a named pipe, a socket or a device, or far too large for a text.
 */
export function readRegularText(path: string): string {
  const { size } = statReadable(path);
  if (size > LARGEST_TEXT) {
    throw new Fault(`It has ${size} bytes, which is too many for a text`, {
      where: path,
      next: "put the file in its place that is meant, or remove it",
    });
  }
  return Deno.readTextFileSync(path);
}

/** Opens a file for reading. @throws {Fault} where it is a named pipe, a socket or a device. */
export function openRegularFile(path: string): Deno.FsFile {
  statReadable(path);
  return Deno.openSync(path);
}

function specialKind(info: Deno.FileInfo): string | undefined {
  if (info.isFifo) return "a named pipe";
  if (info.isSocket) return "a socket";
  if (info.isBlockDevice) return "a device";
  return info.isCharDevice && !isNull(info) ? "a device" : undefined;
}

/** A link to /dev/null is a common way to say that a file is empty. */
function isNull({ rdev }: Deno.FileInfo): boolean {
  return rdev === Deno.statSync("/dev/null").rdev;
}
