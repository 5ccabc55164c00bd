/**
 * Files whose names are no UTF-8. Deno's own functions take strings and cannot name them, so these
 * few calls go to the C library, with the name's bytes; they are made for such names only.
 */

import { Fault } from "../../lib/model/errors.ts";
import { bytesOf, pathOf } from "./byte_paths.ts";

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  opendir: { parameters: ["buffer"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
} as const;

/** Flags of open(2) on Linux. */
const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;

/** `struct dirent` of glibc on 64-bit Linux: d_reclen is at 16, d_name at 19. */
const RECORD_LENGTH_AT = 16;
const NAME_AT = 19;

/** The most bytes of a link's target (PATH_MAX). */
const TARGET_LIMIT = 4096;

/** The names in a folder, without `.` and `..`, in no order. */
export function listRaw(folder: string): string[] {
  return withLibrary(folder, ({ opendir, readdir, closedir }) => {
    const stream = opendir(terminated(folder));
    if (stream === null) throw unreadable(folder);
    try {
      const names: string[] = [];
      for (let entry = readdir(stream); entry !== null; entry = readdir(stream)) {
        const view = new Deno.UnsafePointerView(entry);
        const bytes = new Uint8Array(view.getUint16(RECORD_LENGTH_AT) - NAME_AT);
        view.copyInto(bytes, NAME_AT);
        names.push(pathOf(bytes.subarray(0, bytes.indexOf(0))));
      }
      return names.filter((name) => name !== "." && name !== "..");
    } finally {
      closedir(stream);
    }
  });
}

/** What is at a path; links are not followed. */
export function lstatRaw(path: string): Deno.FileInfo {
  return withLibrary(path, ({ open, close }) => {
    const descriptor = open(terminated(path), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) throw unreadable(path);
    try {
      return Deno.statSync(`/proc/self/fd/${descriptor}`);
    } finally {
      close(descriptor);
    }
  });
}

/** A link's target. */
export function readLinkRaw(path: string): string {
  return withLibrary(path, ({ readlink }) => {
    const target = new Uint8Array(TARGET_LIMIT);
    const length = Number(readlink(terminated(path), target, BigInt(target.length)));
    if (length < 0) throw unreadable(path);
    return pathOf(target.subarray(0, length));
  });
}

/** Opens a file for reading. */
export function openRaw(path: string): Deno.FsFile {
  return withLibrary(path, ({ open, close }) => {
    const descriptor = open(terminated(path), O_CLOEXEC);
    if (descriptor < 0) throw unreadable(path);
    try {
      return Deno.openSync(`/proc/self/fd/${descriptor}`);
    } finally {
      close(descriptor);
    }
  });
}

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

function withLibrary<T>(path: string, use: (symbols: Library["symbols"]) => T): T {
  let library: Library;
  try {
    library = Deno.dlopen("libc.so.6", SYMBOLS);
  } catch (cause) {
    throw new Fault("A file name that is not UTF-8 cannot be read on this machine", {
      where: path,
      next: "rename the file, or run where glibc and --allow-ffi are to be had",
      cause,
    });
  }
  try {
    return use(library.symbols);
  } finally {
    library.close();
  }
}

function terminated(path: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...bytesOf(path), 0]);
}

function unreadable(path: string): Fault {
  return new Fault("The file cannot be read", {
    where: path,
    next: "check that it is there and may be read",
  });
}
