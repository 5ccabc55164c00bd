/** What is wrong with a command line. */

/** A command line that does not fit; the message names the remedy. */
export class ValidationError extends Error {
  override readonly name: string = "ValidationError";
  /** Exit status. */
  readonly exitCode: number;

  constructor(message: string, options: { readonly exitCode?: number } = {}) {
    super(message);
    this.exitCode = options.exitCode ?? 2;
  }
}

/** An option nobody declared. */
export class UnknownOptionError extends ValidationError {
  override readonly name = "UnknownOptionError";
}

/** A command nobody declared. */
export class UnknownCommandError extends ValidationError {
  override readonly name = "UnknownCommandError";
}

/** The word among these that is nearest to what was written, if any is near. */
export async function nearest(
  written: string,
  known: readonly string[],
): Promise<string | undefined> {
  if (known.length === 0) return undefined;
  const { closest, distance } = await import("fastest-levenshtein");
  const best = closest(written, known);
  return distance(written, best) <= Math.max(2, Math.floor(written.length / 2)) ? best : undefined;
}

/** The error for a command nobody declared, with the one that was meant. */
export async function unknownCommand(
  written: string,
  known: readonly string[],
): Promise<UnknownCommandError> {
  const near = await nearest(written, known);
  const advice = near === undefined ? "" : ` Did you mean command "${near}"?`;
  return new UnknownCommandError(`Unknown command "${written}".${advice}`);
}
