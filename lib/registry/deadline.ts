/** Deadlines that move while there is progress. */

/** What a deadline that has passed ends things with. */
export class TimeoutError extends Error {
  /** As Node names it. */
  readonly code = "ETIMEDOUT";

  /** @param isSilence the other side has said nothing at all. */
  constructor(message: string, readonly isSilence: boolean) {
    super(message);
  }
}

/** A moment by which something must have happened. */
export class Deadline {
  readonly #pass: (error: TimeoutError) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(pass: (error: TimeoutError) => void) {
    this.#pass = pass;
  }

  /** Sets it anew: so many milliseconds from now. */
  set(ms: number, what: string, isSilence: boolean = false): void {
    clearTimeout(this.#timer);
    if (this.#ended) return;
    this.#timer = setTimeout(() => {
      const limit = ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
      this.#pass(new TimeoutError(`${what} after ${limit}`, isSilence));
    }, ms);
  }

  /** There is none until it is set again. */
  clear(): void {
    clearTimeout(this.#timer);
  }

  /** There is none any more. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}
