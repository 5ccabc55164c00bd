/** Standard output, which is for results only. */

import { usageFault } from "../lib/model/errors.ts";

const toStandardOutput = console.log;

/** Prints a result; one without lines leaves no empty line to whoever reads them. */
export function print(text: string): void {
  if (text !== "") toStandardOutput(text);
}

/** Whether a path leads to standard output, where a document would be mixed with what is written. */
export function isStandardOutput(path: string): boolean {
  try {
    const [named, own] = [Deno.statSync(path), Deno.statSync("/dev/stdout")];
    return named.dev === own.dev && named.ino !== null && named.ino === own.ino;
  } catch {
    return false;
  }
}

/** Refuses to print a document to where something else is written. */
export function refuseMixing(
  path: string,
  { json }: { readonly json?: boolean | undefined },
): void {
  if (!json || !isStandardOutput(path)) return;
  throw usageFault("--json and what is written would both go to standard output", {
    where: path,
    next: "write to a file, or leave --json out",
  });
}

/** What images.ts, its task functions and its own plugins print goes to standard error from now on. */
export function keepForResults(): void {
  console.log = console.info = console.debug = console.error;
}
