/** A place on loopback where a RUN stops (`nc 127.0.0.1 PORT`) until the test has looked around. */

/** Takes connections, each of which waits until `look` has been called. */
export class Inspection implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #look: () => void | Promise<void>;

  constructor(look: () => void | Promise<void>) {
    this.#look = look;
    this.#serve();
  }

  /** Where a RUN connects to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      // Several may wait at once.
      Promise.resolve(this.#look()).then(() => connection.close());
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** Command lines of all processes on this machine. */
export function commandLines(): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).map(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`);
    } catch {
      return ""; // it has ended
    }
  });
}
