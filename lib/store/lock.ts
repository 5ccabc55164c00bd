/** Locks between processes; the kernel frees them when their holder ends, however it ends. */

import { Fault } from "../model/errors.ts";

/** Time between two tries, in milliseconds. */
const RETRY = 25;

/**
 * Does something while no other process holds the lock of this name.
 *
 * @param waiting called once if another process holds it.
 */
export async function withLock<T>(
  path: string,
  work: () => T | Promise<T>,
  options: { readonly signal?: AbortSignal; readonly waiting?: () => void } = {},
): Promise<T> {
  const file = open(path);
  try {
    let told = false;
    while (!file.tryLockSync(true)) {
      if (!told) options.waiting?.();
      told = true;
      if (options.signal?.aborted) throw new Fault("Interrupted", { kind: "interrupted" });
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
    return await work();
  } finally {
    file.close();
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
