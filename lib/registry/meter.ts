/** Telling people how many bytes have gone, also when some must go again. */

/** Counts bytes that go. */
export class Meter {
  readonly #onBytes: ((bytes: number) => void) | undefined;
  #bytes = 0;

  constructor(onBytes: ((bytes: number) => void) | undefined) {
    this.#onBytes = onBytes;
  }

  /** Bytes have gone. */
  readonly add = (bytes: number): void => {
    this.#bytes += bytes;
    this.#onBytes?.(bytes);
  };

  /** What has gone must go again. */
  takeBack(): void {
    if (this.#bytes !== 0) this.#onBytes?.(-this.#bytes);
    this.#bytes = 0;
  }
}
