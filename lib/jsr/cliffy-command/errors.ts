/** What is wrong with a command line. */

/** A command line that does not fit; the message names the remedy. */
export class ValidationError extends Error {
  /** Exit status. */
  readonly exitCode: number;

  constructor(message: string, options: { readonly exitCode?: number } = {}) {
    super(message);
    this.exitCode = options.exitCode ?? 2;
  }
}

/** Names the word among these that is nearest to what was written; nothing where there are none. */
export async function didYouMean(
  what: "command" | "option",
  written: string,
  known: readonly string[],
): Promise<string> {
  if (known.length === 0) return "";
  const { distance } = await import("fastest-levenshtein");
  const far = (word: string) => distance(written.toLowerCase(), word.toLowerCase());
  const nearest = known.reduce((best, word) => far(word) < far(best) ? word : best);
  return ` Did you mean ${what} "${nearest}"?`;
}
