/** The known word a misspelt one was probably meant to be. */

import { distance } from "fastest-levenshtein";

/** The closest of the known words, where it is close enough; letter case does not count. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const apart = (candidate: string) => distance(word.toLowerCase(), candidate.toLowerCase());
  const [best] = known.toSorted((a, b) => apart(a) - apart(b));
  if (best === undefined) return undefined;
  // Two letters that changed places are two steps; of short words less is another word.
  const most = Math.min(best.length - 1, Math.max(2, Math.floor(word.length / 3)));
  return apart(best) <= most ? best : undefined;
}
