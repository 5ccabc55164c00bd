/** Output of builds, kept until it is known whether anybody will want to see it. */

import type { Subject } from "../model/events.ts";

/** The most lines that are kept of one build; its log has all of them. */
const KEPT = 5_000;

/** The last lines of each build. */
export class Outputs {
  readonly #lines = new Map<Subject, { readonly last: string[]; next: number; count: number }>();

  /** Keeps a line. */
  add(id: Subject, line: string): void {
    const kept = this.#lines.get(id) ?? { last: [], next: 0, count: 0 };
    kept.last[kept.next] = line;
    kept.next = (kept.next + 1) % KEPT;
    kept.count += 1;
    this.#lines.set(id, kept);
  }

  /** Gives a build's lines, and forgets them; the first says how many are left out, if any are. */
  take(id: Subject): readonly string[] {
    const kept = this.#lines.get(id);
    if (kept === undefined) return [];
    this.#lines.delete(id);
    const { last, next, count } = kept;
    if (count <= KEPT) return last;
    const dropped = `… ${count - KEPT} earlier lines are in the log`;
    return [dropped, ...last.slice(next), ...last.slice(0, next)];
  }
}
