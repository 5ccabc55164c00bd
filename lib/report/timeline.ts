/** When each node was worked at, and which chain of nodes a run had to wait for. */

import type { RunEvent, Subject } from "../model/events.ts";

/** One node of the critical path. */
export interface Step {
  readonly id: Subject;
  /** How long it was worked at, in milliseconds. */
  readonly ms: number;
}

/** Times of a run, in milliseconds since it began. */
export class Timeline {
  readonly #needs = new Map<Subject, readonly Subject[]>();
  readonly #started = new Map<Subject, number>();
  readonly #finished = new Map<Subject, number>();

  /** Takes one event. */
  apply(event: RunEvent): void {
    if (event.kind === "began") {
      for (const { id, needs } of event.nodes) this.#needs.set(id, needs);
    } else if (event.kind === "started") {
      // What is published later was built before.
      if (!this.#finished.has(event.id)) this.#started.set(event.id, event.at);
    } else if (event.kind === "finished") {
      const { status } = event.result;
      if (status === "built" || status === "failed") this.#finished.set(event.id, event.at);
    }
  }

  /** From the last node that was worked at back to what kept it waiting longest, first one first. */
  criticalPath(): readonly Step[] {
    const path: Step[] = [];
    const ids = [...this.#finished.keys()].filter((id) => this.#started.has(id));
    for (let id = this.#last(ids); id !== undefined; id = this.#last(this.#workedNeeds(id))) {
      path.unshift({ id, ms: this.#finished.get(id)! - this.#started.get(id)! });
    }
    return path;
  }

  #last(ids: readonly Subject[]): Subject | undefined {
    let last: Subject | undefined;
    for (const id of ids) {
      if (last === undefined || this.#finished.get(id)! > this.#finished.get(last)!) last = id;
    }
    return last;
  }

  /** The nearest needs that were worked at: those that were up to date took no time. */
  #workedNeeds(id: Subject, seen = new Set<Subject>()): Subject[] {
    return (this.#needs.get(id) ?? []).flatMap((need) => {
      if (seen.has(need)) return [];
      seen.add(need);
      const worked = this.#started.has(need) && this.#finished.has(need);
      return worked ? [need] : this.#workedNeeds(need, seen);
    });
  }
}
