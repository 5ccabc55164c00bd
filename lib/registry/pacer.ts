/** When a host may be asked again: back-off that all requests to it share. */

import { Fault } from "../model/errors.ts";
import type { RegistryFault } from "./faults.ts";

/** How failures are waited out. */
export interface Pacing {
  /** How often something is tried at all. */
  readonly tries: number;
  /** The wait after the first failure, in milliseconds; each further one doubles it. */
  readonly base: number;
  /** The longest wait that is not asked for, in milliseconds. */
  readonly cap: number;
  /** The longest wait that a registry may ask for, in milliseconds. */
  readonly longest: number;
}

/** Waits of which people are told, in milliseconds. */
const NOTABLE = 5_000;

/** The pace of requests to one host. */
export class Pacer {
  readonly tries: number;
  readonly #host: string;
  readonly #pacing: Pacing;
  readonly #notice: (message: string) => void;
  /** Nobody asks before this time, in milliseconds since the process began. */
  #notBefore = 0;

  constructor(host: string, pacing: Pacing, notice: (message: string) => void) {
    this.tries = pacing.tries;
    this.#host = host;
    this.#pacing = pacing;
    this.#notice = notice;
  }

  /** Waits as long as the host has asked everybody to. */
  async ready(signal: AbortSignal): Promise<void> {
    for (let left = this.#left; left > 0; left = this.#left) {
      // Those who waited do not all come back at once.
      await sleep(left + Math.random() * this.#pacing.base, signal);
    }
  }

  /**
   * Waits after a failure.
   *
   * @param failures how often it has failed, this time included.
   * @throws {Fault} where the registry asks for more patience than there is.
   */
  async pause(failures: number, { facts, where }: RegistryFault, signal: AbortSignal) {
    const { base, cap, longest } = this.#pacing;
    const own = Math.min(cap, base * 2 ** (failures - 1)) * (0.5 + Math.random());
    const asked = facts.retryAfter ?? 0;
    if (asked > longest) {
      throw new Fault(`${this.#host} asks not to be asked for ${seconds(asked)}`, {
        ...(where === undefined ? {} : { where }),
        next: "try again after that",
      });
    }
    const wait = Math.max(own, asked);
    if (wait >= NOTABLE && this.#left < NOTABLE) {
      this.#notice(`${this.#host} is asked again in ${seconds(wait)}`);
    }
    if (facts.throttled) this.#notBefore = Math.max(this.#notBefore, performance.now() + wait);
    await sleep(wait, signal);
  }

  get #left(): number {
    return this.#notBefore - performance.now();
  }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`;
}

/** Waits, or ends with the signal's reason. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
