/** Work that several images wait for: none of them decides over the others how long it may take. */

/** The shared work of one run, by name. */
export class SharedWork {
  readonly #known = new Map<string, Piece<unknown>>();

  /**
   * One value for the whole run under this name. Who asks waits for it as long as its own signal
   * lets it; what nobody waits for any more is ended, and made anew for who asks later.
   *
   * @param make ends with the signal that it is given.
   */
  async once<T>(
    name: string,
    signal: AbortSignal,
    make: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    let piece = this.#known.get(name) as Piece<T> | undefined;
    if (piece === undefined) {
      piece = new Piece(make, () => this.#known.delete(name));
      this.#known.set(name, piece);
    }
    return await piece.wait(signal);
  }
}

class Piece<T> {
  readonly #result: Promise<T>;
  readonly #forget: () => void;
  readonly #stop = new AbortController();
  #waiting = 0;
  #isOver = false;

  constructor(make: (signal: AbortSignal) => Promise<T>, forget: () => void) {
    this.#forget = forget;
    this.#result = make(this.#stop.signal).finally(() => this.#isOver = true);
    this.#result.catch(() => {});
  }

  async wait(signal: AbortSignal): Promise<T> {
    this.#waiting += 1;
    try {
      return await unlessAborted(this.#result, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#isOver) await this.#end(signal.reason);
    }
  }

  async #end(reason: unknown): Promise<void> {
    this.#forget();
    this.#stop.abort(reason);
    await this.#result.catch(() => {});
  }
}

/** Waits for something no longer than a signal lets it. What is waited for goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {});
  signal.throwIfAborted();
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
