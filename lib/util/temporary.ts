/** Temporary files and folders with unique names, and the removal of those that were left behind. */

import { writeAll } from "./write_all.ts";

/** Age after which what another kernel made counts as left behind, in milliseconds. */
const OTHER_KERNEL_AGE = 24 * 3_600_000;

/** `<base>.<kernel>-<UUID>.tmp`. */
const NAME = /\.([0-9a-f]{8})-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** A file that is written under a temporary name. It is removed unless it is moved into place. */
export class TemporaryFile implements Disposable {
  /** Absolute path. */
  readonly path: string;
  /** The open file; its lock tells other processes that it is in use. */
  readonly file: Deno.FsFile;
  #isMoved = false;

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.file = file;
  }

  /** Creates an empty file beside this path, in a folder that exists. */
  static create(path: string): TemporaryFile {
    for (;;) {
      const name = temporaryName(path);
      const file = Deno.openSync(name, { createNew: true, write: true });
      if (isHeld(file, name)) return new TemporaryFile(name, file);
      file.close();
    }
  }

  /** Writes all of a chunk at the end. */
  write(chunk: Uint8Array): void {
    writeAll(this.file, chunk);
  }

  /** Replaces what is at a path of the same file system. */
  moveTo(path: string): void {
    Deno.renameSync(this.path, path);
    this.#isMoved = true;
  }

  /** Closes the file, and removes it if it was not moved. */
  [Symbol.dispose](): void {
    this.file.close();
    if (!this.#isMoved) removeIfPresent(this.path);
  }
}

/** A folder that is removed with all that is in it. */
export class TemporaryFolder implements AsyncDisposable {
  /** Absolute path. */
  readonly path: string;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, lock: Deno.FsFile) {
    this.path = path;
    this.#lock = lock;
  }

  /** Creates an empty folder beside this path, in a folder that exists. */
  static create(path: string): TemporaryFolder {
    for (;;) {
      const name = temporaryName(path);
      Deno.mkdirSync(name, { mode: 0o700 });
      const lock = openIfPresent(name, { read: true });
      if (lock !== undefined && isHeld(lock, name)) return new TemporaryFolder(name, lock);
      lock?.close();
    }
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Deno.remove(this.path, { recursive: true });
    } finally {
      this.#lock.close();
    }
  }
}

/**
 * Removes the temporary files and folders directly in a folder whose processes have ended. What
 * cannot be looked at or removed stays.
 */
export function removeLeftovers(folder: string): void {
  for (const name of namesIn(folder)) {
    const path = `${folder}/${name}`;
    try {
      if (isLeftover(path)) Deno.removeSync(path, { recursive: true });
    } catch {
      // Another process was faster, or it belongs to another user.
    }
  }
}

/** Whether a path ends like those made here. */
export function isTemporaryName(path: string): boolean {
  return NAME.test(path);
}

/** Whether a file or folder with a temporary name has outlived its process; false if unknown. */
export function isLeftover(path: string): boolean {
  const [, kernel] = NAME.exec(path) ?? [];
  if (kernel === undefined) return false;
  try {
    return hasNoHolder(path, kernel);
  } catch {
    return false;
  }
}

function hasNoHolder(path: string, kernel: string): boolean {
  const { isFile, isDirectory } = Deno.lstatSync(path);
  if (!isFile && !isDirectory) return false;
  using file = Deno.openSync(path, isFile ? { write: true } : { read: true });
  const lock = tryLock(file);
  if (lock === "taken") return false;
  const isReliable = lock === "held" && kernel === kernelId();
  return isReliable || Date.now() - lastChange(path) > OTHER_KERNEL_AGE;
}

/** A unique name beside a path. */
function temporaryName(path: string): string {
  return `${path}.${kernelId()}-${crypto.randomUUID()}.tmp`;
}

let kernel: string | undefined;

/**
 * Eight hex digits that are the same in all containers of one running kernel, within which a lock
 * that is free has no holder.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html (random/boot_id)
 */
function kernelId(): string {
  return kernel ??= bootId() ?? sum(Deno.hostname());
}

function bootId(): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const [id] = /^[0-9a-f]{8}/.exec(Deno.readTextFileSync("/proc/sys/kernel/random/boot_id")) ??
      [];
    return id;
  } catch {
    return undefined;
  }
}

/** FNV-1a of a text as eight hex digits. */
function sum(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** Takes the lock of a new file or folder; false where it was taken for a leftover meanwhile. */
function isHeld(file: Deno.FsFile, path: string): boolean {
  return tryLock(file) !== "taken" && isPresent(path);
}

/** Some file systems have no locks. */
function tryLock(file: Deno.FsFile): "held" | "taken" | "unsupported" {
  try {
    return file.tryLockSync(true) ? "held" : "taken";
  } catch {
    return "unsupported";
  }
}

/** When anything at or below a path was last written, in milliseconds since 1970. */
function lastChange(path: string): number {
  const { mtime, isDirectory } = Deno.lstatSync(path);
  const below = isDirectory ? namesIn(path).map((name) => lastChange(`${path}/${name}`)) : [];
  return below.reduce((latest, each) => Math.max(latest, each), mtime?.getTime() ?? Date.now());
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function isPresent(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function openIfPresent(path: string, options: Deno.OpenOptions): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function removeIfPresent(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
