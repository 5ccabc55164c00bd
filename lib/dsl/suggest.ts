/** "Did you mean": the nearest of the words that would have been right. */

/** The known word that is nearest to what was written, if any is near enough to be meant. */
export function suggest(written: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const word of known) {
    const distance = editDistance(written.toLowerCase(), word.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** The advice that goes with an unknown word: the nearest right one, or all of them. */
export function adviceFor(written: string, known: readonly string[], what: string): string {
  const near = suggest(written, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  if (known.length === 0) return `declare ${what} first`;
  return `use one of ${[...known].sort().join(", ")}`;
}

/** Insertions, deletions, replacements and swaps of neighbours; `limit` where it is that or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, before[j - 2]! + 1);
      }
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return Math.min(previous[b.length]!, limit);
}
