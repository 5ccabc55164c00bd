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
      this.#pass(new TimeoutError(`${what} after ${written(ms)}`, isSilence));
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

/** A moment by which an answer must be here whole; each part of it that comes puts it off. */
export class WholeDeadline {
  readonly #pass: (error: TimeoutError) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #passes = 0;
  #ended = false;

  constructor(pass: (error: TimeoutError) => void) {
    this.#pass = pass;
  }

  /** Begins: so many milliseconds are given. */
  start(ms: number): void {
    if (this.#ended) return;
    this.#passes = performance.now() + ms;
    const look = () => {
      const left = this.#passes - performance.now();
      if (left > 0) this.#timer = setTimeout(look, left);
      else this.#pass(new TimeoutError(`only a part has come after ${written(ms)}`, true));
    };
    look();
  }

  /** Gives so many milliseconds more. */
  advance(ms: number): void {
    this.#passes += ms;
  }

  /** There is none any more. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}

function written(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
