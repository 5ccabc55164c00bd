/**
 * Gathers requests that one invocation of a tool can answer together: `nix eval`, `nix build` and
 * `bazel build` schedule by themselves and are slow to start.
 */

/** Answers several requests at once, in their order. */
export type Batch<Q, A> = (requests: readonly Q[]) => Promise<readonly A[]>;

/** Holds requests back until nobody who might join them is still on the way. */
export class Gate<Q, A> {
  readonly #answer: Batch<Q, A>;
  readonly #position: (request: Q) => number;
  #waiting: { request: Q; resolve: (answer: A) => void; reject: (error: unknown) => void }[] = [];

  /**
   * Requests come by chance, and are handed on by their position: commands and logs are the same each
   * time.
   */
  constructor(answer: Batch<Q, A>, position: (request: Q) => number) {
    this.#answer = answer;
    this.#position = position;
  }

  /** How many requests are held back. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Joins the next batch. */
  ask(request: Q): Promise<A> {
    return new Promise((resolve, reject) => this.#waiting.push({ request, resolve, reject }));
  }

  /** Answers everything that is held back. */
  async open(): Promise<void> {
    const position = this.#position;
    const batch = this.#waiting.sort((a, b) => position(a.request) - position(b.request));
    this.#waiting = [];
    if (batch.length === 0) return;
    try {
      const answers = await this.#answer(batch.map((each) => each.request));
      batch.forEach((each, at) => each.resolve(answers[at]!));
    } catch (error) {
      batch.forEach((each) => each.reject(error));
    }
  }
}
