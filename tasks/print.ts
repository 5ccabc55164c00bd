/** Standard output, which is for results only. */

const toStandardOutput = console.log;

/** Prints a result; one without lines leaves no empty line to whoever reads them. */
export function print(text: string): void {
  if (text !== "") toStandardOutput(text);
}

/** What images.ts, its task functions and its own plugins print goes to standard error from now on. */
export function keepForResults(): void {
  console.log = console.info = console.debug = console.error;
}
