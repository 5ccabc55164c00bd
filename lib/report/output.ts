/** Output of builds, kept until it is known whether anybody will want to see it. */

import type { Subject } from "../model/events.ts";

/** The most lines that are kept of one build; its log has all of them. */
const KEPT = 5_000;

/** The most characters of them: a line may be as long as a file. */
const KEPT_LENGTH = 512 * 1024;

/** The last lines of one build. */
interface Kept {
  readonly lines: string[];
  /** Where the kept ones begin; those before are dropped. */
  first: number;
  /** Characters of the kept ones. */
  length: number;
  dropped: number;
}

/** The last lines of each build. */
export class Outputs {
  readonly #kept = new Map<Subject, Kept>();

  /** Keeps a line. */
  add(id: Subject, line: string): void {
    const kept = this.#kept.get(id) ?? { lines: [], first: 0, length: 0, dropped: 0 };
    this.#kept.set(id, kept);
    kept.lines.push(line);
    kept.length += line.length;
    while (kept.lines.length - kept.first > KEPT || kept.length > KEPT_LENGTH) drop(kept);
  }

  /** Gives a build's lines, and forgets them; the first says how many are left out, if any are. */
  take(id: Subject): readonly string[] {
    const kept = this.#kept.get(id);
    if (kept === undefined) return [];
    this.#kept.delete(id);
    const { lines, first, dropped } = kept;
    if (dropped === 0) return lines;
    return [`… ${dropped} earlier lines are in the log`, ...lines.slice(first)];
  }
}

/** Drops the first line; the array is shortened now and then, as that moves all of it. */
function drop(kept: Kept): void {
  kept.length -= kept.lines[kept.first]!.length;
  kept.lines[kept.first] = "";
  kept.first += 1;
  kept.dropped += 1;
  if (kept.first < KEPT) return;
  kept.lines.splice(0, kept.first);
  kept.first = 0;
}
