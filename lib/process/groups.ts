/** The process groups that were started and have not ended. */

/** Process ids of the leaders of running groups. */
export const groups: Set<number> = new Set();

/** Time between asking a group to end and ending it, in milliseconds. */
const GRACE = 5_000;

/** Asks a group to end, and ends it after a grace period if it has not by then. */
export function endGroup(pid: number): void {
  signalGroup(pid, "SIGTERM");
  const timer = setTimeout(() => {
    if (groups.has(pid)) killGroup(pid);
  }, GRACE);
  Deno.unrefTimer(timer);
}

/** Ends what is left of a group at once. */
export function killGroup(pid: number): void {
  signalGroup(pid, "SIGKILL");
}

/** Ends every running group at once: the last resort before the process itself ends. */
export function killAllGroups(): void {
  for (const pid of groups) killGroup(pid);
}

function signalGroup(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-pid, signal);
  } catch {
    // The group has ended in the meantime.
  }
}
