/** The folder that something is started in. */

import { Fault } from "../model/errors.ts";

/**
 * Refuses a folder that is not there: what is started in it would be told to be missing itself.
 *
 * @param what is started there, as errors name it.
 * @param where what it is started for.
 */
export function requireFolder(folder: string, what: string, where?: string): void {
  if (isFolder(folder)) return;
  throw new Fault(`Cannot start ${what}: there is no folder ${folder} to start it in`, {
    ...(where === undefined ? {} : { where }),
    next: "make the folder, or correct `cwd`",
  });
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
