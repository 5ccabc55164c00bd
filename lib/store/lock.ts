/** Locks between processes; the kernel frees them when their holder ends, however it ends. */

import { Fault } from "../model/errors.ts";

/** Time between two tries, in milliseconds. */
const RETRY = 25;

/** How a lock is waited for. */
export interface LockOptions {
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Called once if another process holds it. */
  readonly waiting?: () => void;
  /** Several may hold it at once, but none together with one who does not share. @default false */
  readonly shared?: boolean;
}

/** A lock that is held until it is closed, or the process ends. */
export interface HeldLock {
  close(): void;
}

/** Does something while no other process holds the lock of this name. */
export async function withLock<T>(
  path: string,
  work: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const held = await holdLock(path, options);
  try {
    return await work();
  } finally {
    held.close();
  }
}

/** Waits until the lock of this name is free, and holds it. */
export async function holdLock(path: string, options: LockOptions = {}): Promise<HeldLock> {
  const file = open(path);
  try {
    let told = false;
    while (!file.tryLockSync(!options.shared)) {
      if (!told) options.waiting?.();
      told = true;
      if (options.signal?.aborted) throw new Fault("Interrupted", { kind: "interrupted" });
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The lock's file stays: removing it would let two processes lock two different files. */
function open(path: string): Deno.FsFile {
  const options = { create: true, write: true };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    return Deno.openSync(path, options);
  }
}
