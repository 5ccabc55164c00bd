/** When a host may be asked again: back-off that all requests to it share. */

import { sleep } from "../util/sleep.ts";
import { RegistryFault } from "./faults.ts";

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
  /** The same where the registry limits how often it is asked without saying for how long. */
  readonly throttledCap: number;
  /** The longest wait that a registry may ask for, in milliseconds. */
  readonly longest: number;
  /** Waits of which people are told, in milliseconds. */
  readonly notable: number;
}

/** How much longer than after other failures is waited where a rate limit names no delay. */
const THROTTLED = 8;

/** How much longer than others the answer to an upload may take before people are told. */
const UPLOAD = 4;

/** Whether one kind of request has had answers. */
interface Channel {
  hasAnswered: boolean;
  /** What ended the wait, where there has never been an answer. */
  silence: RegistryFault | undefined;
  /** When the first request was sent that had no answer, in milliseconds since the process began. */
  silentSince: number;
}

/** The channel of everything that is asked of the host. */
const ANYTHING = "";

/** The pace of requests to one host. */
export class Pacer {
  readonly tries: number;
  readonly #host: string;
  readonly #pacing: Pacing;
  readonly #notice: (message: string) => void;
  /** Nobody asks before this time, in milliseconds since the process began. */
  #notBefore = 0;
  readonly #channels = new Map<string, Channel>();
  /** Hosts of whose silence people were told. */
  readonly #toldOf = new Set<string>();

  constructor(host: string, pacing: Pacing, notice: (message: string) => void) {
    this.tries = pacing.tries;
    this.#host = host;
    this.#pacing = pacing;
    this.#notice = notice;
  }

  /** The host has begun to answer or, where a channel is named, has answered one of its requests. */
  answered(channel: string = ANYTHING): void {
    this.#channel(channel).hasAnswered = true;
  }

  /** @throws {RegistryFault} where the host, or one kind of request to it, has been given up. */
  refuseSilent(channel: string = ANYTHING): void {
    const silence = this.#channel(ANYTHING).silence ?? this.#channel(channel).silence;
    if (silence !== undefined) throw silence;
  }

  /** Counts the attempts of one request, of a kind that may never be answered although others are. */
  attempts(channel: string = ANYTHING): Attempts {
    return new Attempts(this, channel);
  }

  /**
   * Tells people whom they wait for, if it takes long; what is given back ends that.
   *
   * @param host where it is another than the registry.
   */
  watch(host: string = this.#host, isUpload: boolean = false): Disposable {
    const notable = this.#pacing.notable * (isUpload ? UPLOAD : 1);
    const timer = setTimeout(() => {
      const name = `${host} ${isUpload}`;
      if (this.#toldOf.has(name)) return;
      this.#toldOf.add(name);
      const what = isUpload ? " an upload" : "";
      this.#notice(`${host} has not answered${what} for ${seconds(notable)}; it is waited for`);
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
   * @throws {RegistryFault} where the registry asks for more patience than there is.
   */
  async pause(failures: number, fault: RegistryFault, signal: AbortSignal): Promise<void> {
    const { base, cap, throttledCap, longest, notable } = this.#pacing;
    const { throttled = false, retryAfter } = fault.facts;
    const asked = retryAfter ?? 0;
    if (asked > longest) throw this.#tooLong(fault, asked);
    const unnamed = throttled && retryAfter === undefined;
    const [first, most] = unnamed ? [base * THROTTLED, throttledCap] : [base, cap];
    const own = Math.min(most, first * 2 ** (failures - 1)) * (0.5 + Math.random());
    const wait = Math.max(own, asked);
    if (wait >= notable && this.#left < notable) {
      const why = throttled ? ": its rate limit is reached" : "";
      this.#notice(`${this.#host} is asked again in ${seconds(wait)}${why}`);
    }
    if (throttled) this.#notBefore = Math.max(this.#notBefore, performance.now() + wait);
    await sleep(wait, signal);
  }

  /**
   * Whether a request may be sent once more.
   *
   * @param failures how often it has failed, this time included.
   * @param silences how often there was no answer, see {@link Pacer.silences}.
   */
  allows(channel: string, failures: number, silences: number, fault: RegistryFault): boolean {
    if (silences < this.#pacing.silentTries) return failures < this.tries;
    // Whoever else waits for it need not find that out too.
    for (const each of [this.#channel(ANYTHING), this.#channel(channel)]) {
      if (!each.hasAnswered) each.silence ??= fault.with({ temporary: false });
    }
    return false;
  }

  /**
   * How often a request has had no answer, now that it had none again; where none of its kind was
   * ever answered, for how many times as long as this one took nobody had any.
   *
   * @param began when it was sent, in milliseconds since the process began.
   * @param before how often it had none before.
   */
  silences(channel: string, began: number, before: number): number {
    const now = performance.now();
    const shared = [ANYTHING, channel].map((name) => this.#channel(name))
      .filter(({ hasAnswered }) => !hasAnswered)
      .map((each) => {
        each.silentSince = Math.min(each.silentSince, began);
        return Math.round((now - each.silentSince) / Math.max(1, now - began));
      });
    return Math.max(before + 1, ...shared);
  }

  #channel(name: string): Channel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const channel = { hasAnswered: false, silence: undefined, silentSince: Infinity };
    this.#channels.set(name, channel);
    return channel;
  }

  #tooLong({ facts, where }: RegistryFault, asked: number): RegistryFault {
    return new RegistryFault(
      `${this.#host} asks not to be asked for ${seconds(asked)}`,
      { ...facts, temporary: false },
      {
        ...(where === undefined ? {} : { where }),
        next: "try again after that, or log in: rate limits of accounts are higher",
      },
    );
  }

  get #left(): number {
    return this.#notBefore - performance.now();
  }
}

/** The attempts at one request. */
export class Attempts {
  readonly #pacer: Pacer;
  readonly #channel: string;
  #failures = 0;
  #silences = 0;
  #began = 0;

  constructor(pacer: Pacer, channel: string) {
    this.#pacer = pacer;
    this.#channel = channel;
  }

  /** How often it has failed. */
  get failures(): number {
    return this.#failures;
  }

  /** An attempt begins. @throws {RegistryFault} where the host has been given up. */
  begin(): void {
    this.#pacer.refuseSilent(this.#channel);
    this.#began = performance.now();
  }

  /** It was answered, or has come further: what failed before counts no more. */
  advanced(): void {
    this.#failures = 0;
    this.#silences = 0;
  }

  /** Counts a failure; whether it may be tried again. */
  mayRetry(fault: RegistryFault): boolean {
    this.#failures += 1;
    const { silent = false, channel = this.#channel } = fault.facts;
    if (silent) this.#silences = this.#pacer.silences(channel, this.#began, this.#silences);
    return this.#pacer.allows(channel, this.#failures, silent ? this.#silences : 0, fault);
  }

  /** Waits before the next attempt. @throws {RegistryFault} where that would be too long. */
  async pause(fault: RegistryFault, signal: AbortSignal): Promise<void> {
    await this.#pacer.pause(this.#failures, fault, signal);
  }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`;
}
