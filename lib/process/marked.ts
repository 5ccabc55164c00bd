/**
 * Processes found by a variable in their environment: it is inherited, so it also finds what was
 * started by something that has ended since.
 */

/** Time between asking and ending, in milliseconds. */
const GRACE = 2_000;

/** Asks every process with this variable to end, and ends what is left after a grace period. */
export function endMarked(variable: string, value: string): void {
  if (signalMarked(variable, value, "SIGTERM") === 0) return;
  const timer = setTimeout(() => signalMarked(variable, value, "SIGKILL"), GRACE);
  Deno.unrefTimer(timer);
}

function signalMarked(variable: string, value: string, signal: Deno.Signal): number {
  const pids = marked(`${variable}=${value}`);
  for (const pid of pids) {
    try {
      Deno.kill(pid, signal);
    } catch {
      // It has ended in the meantime.
    }
  }
  return pids.length;
}

function marked(assignment: string): number[] {
  if (Deno.build.os !== "linux") return [];
  const numbers = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name));
  return numbers.filter((pid) => Number.isInteger(pid) && environmentOf(pid).includes(assignment));
}

function environmentOf(pid: number): readonly string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0");
  } catch {
    return [];
  }
}
