/** When a host may be asked again: back-off that all requests to it share. */

import { Fault } from "../model/errors.ts";
import type { RegistryFault } from "./faults.ts";

/** How failures are waited out. */
export interface Pacing {
  /** How often something is tried at all. */
  readonly tries: number;
  /** How often where there is no answer: each has been waited for as long as patience lasts. */
  readonly silentTries: number;
  /** The wait after the first failure, in milliseconds; each further one doubles it. */
  readonly base: number;
  /** The longest wait that is not asked for, in milliseconds. */
  readonly cap: number;
  /** The longest wait that a registry may ask for, in milliseconds. */
  readonly longest: number;
  /** Waits of which people are told, in milliseconds. */
  readonly notable: number;
}

/** The pace of requests to one host. */
export class Pacer {
  readonly tries: number;
  readonly #host: string;
  readonly #pacing: Pacing;
  readonly #notice: (message: string) => void;
  /** Nobody asks before this time, in milliseconds since the process began. */
  #notBefore = 0;
  #hasAnswered = false;
  /** What ended the wait for a host that has never answered. */
  #silence: RegistryFault | undefined;
  #toldOfSilence = false;
  /** When the first of those was sent that had no answer, in milliseconds since the process began. */
  #silentSince = Infinity;

  constructor(host: string, pacing: Pacing, notice: (message: string) => void) {
    this.tries = pacing.tries;
    this.#host = host;
    this.#pacing = pacing;
    this.#notice = notice;
  }

  /** The host has answered something. */
  answered(): void {
    this.#hasAnswered = true;
  }

  /**
   * How often a request has had no answer, now that it had none again; where the host has never
   * answered, for how many times as long as this one took nobody had any.
   *
   * @param began when it was sent, in milliseconds since the process began.
   * @param before how often it had none before.
   */
  silences(began: number, before: number): number {
    if (this.#hasAnswered) return before + 1;
    this.#silentSince = Math.min(this.#silentSince, began);
    const now = performance.now();
    return Math.round((now - this.#silentSince) / (now - began));
  }

  /**
   * Whether a request may be sent once more.
   *
   * @param failures how often it has failed, this time included.
   * @param silences see {@link silences}.
   */
  allows(failures: number, silences: number, fault: RegistryFault): boolean {
    if (silences < this.#pacing.silentTries) return failures < this.tries;
    // Whoever else waits for it need not find that out too.
    if (!this.#hasAnswered) this.#silence = fault;
    return false;
  }

  /** @throws {RegistryFault} where the host has been given up. */
  refuseSilent(): void {
    if (this.#silence !== undefined) throw this.#silence;
  }

  /** Tells people whom they wait for, if it takes long; what is given back ends that. */
  watch(): Disposable {
    const { notable } = this.#pacing;
    const timer = setTimeout(() => {
      if (this.#toldOfSilence) return;
      this.#toldOfSilence = true;
      this.#notice(`${this.#host} has not answered for ${seconds(notable)}; it is waited for`);
    }, notable);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
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
    const { base, cap, longest, notable } = this.#pacing;
    const own = Math.min(cap, base * 2 ** (failures - 1)) * (0.5 + Math.random());
    const asked = facts.retryAfter ?? 0;
    if (asked > longest) {
      throw new Fault(`${this.#host} asks not to be asked for ${seconds(asked)}`, {
        ...(where === undefined ? {} : { where }),
        next: "try again after that",
      });
    }
    const wait = Math.max(own, asked);
    if (wait >= notable && this.#left < notable) {
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
