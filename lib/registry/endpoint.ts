/** Asking one registry: with what it wants to know of us, again where that helps, and redirected. */

import { Slots } from "../model/slots.ts";
import type { Answer } from "./answer.ts";
import { Authenticator, type Wanted } from "./auth.ts";
import { BodyFailure } from "./body.ts";
import type { Credentials } from "./credentials.ts";
import { broken, type Doing, isTemporary, readRefusal, refused } from "./faults.ts";
import { findBase, hostile, locationOf, mayBeClear, redirection } from "./locations.ts";
import { Meter } from "./meter.ts";
import { Pacer, type Pacing } from "./pacer.ts";
import { Secrets } from "./secrets.ts";
import { type Environment, type Patience, Transport } from "./transport.ts";

/** Redirects that are followed one after the other. */
const REDIRECTS = 5;

/** Times that a request is sent again because it was not let in. */
const CHALLENGES = 3;

/** Times that a kept connection may turn out to be closed before that counts as a failure. */
const STALE = 2;

/** Requests at once, besides those that carry blobs. */
const SHORT_REQUESTS = 16;

/** Settings of an {@link Endpoint}. */
export interface EndpointSettings {
  readonly host: string;
  /** Plain http is allowed where the host is not loopback. */
  readonly insecure: boolean;
  readonly credentials: Credentials;
  readonly signal: AbortSignal;
  readonly patience: Patience;
  readonly pacing: Pacing;
  readonly notice: (message: string) => void;
  /** For proxies and certificates. */
  readonly env: Environment;
}

/** What is asked of a registry. */
export interface Question {
  readonly method: string;
  /** Path below the registry's root, or a URL that the registry named. */
  readonly at: string | URL;
  readonly repository: string;
  readonly scopes: readonly string[];
  /** Infinitive of what is done, for faults. */
  readonly action: string;
  /** Statuses that are answers; others are faults. */
  readonly accepts: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Opened for each attempt. */
  readonly body?: () => Promise<ReadableStream<Uint8Array>> | Uint8Array;
  /** Length of the body in bytes, where it is known. */
  readonly length?: number;
  readonly onBytes?: (bytes: number) => void;
  /** Asked again after a temporary failure. @default true */
  readonly retry?: boolean;
  /** Carries a blob, whose number at once is bounded elsewhere. @default false */
  readonly carriesBlob?: boolean;
  /** Ends this request besides what ends all of them. */
  readonly signal?: AbortSignal;
  /** Ends this request in the place of what ends all others. */
  readonly signalInstead?: AbortSignal;
}

/** An answer whose body was read. */
export interface WholeAnswer {
  readonly answer: Answer;
  readonly bytes: Uint8Array;
  /** Whether this is all of it. */
  readonly complete: boolean;
}

/** One registry. */
export class Endpoint {
  readonly host: string;
  readonly secrets: Secrets = new Secrets();
  readonly pacer: Pacer;
  /** Pairs of repositories between which it refuses to mount, as `to from`. */
  readonly unmountable: Set<string> = new Set();
  /** Aborted when the run or this endpoint ends. */
  readonly signal: AbortSignal;
  /** Plain http may be spoken to it. */
  readonly #clear: boolean;
  readonly #transport: Transport;
  readonly #closing = new AbortController();
  readonly #short = new Slots(SHORT_REQUESTS);
  readonly #auth: Authenticator;
  #base: Promise<URL> | undefined;

  constructor(settings: EndpointSettings) {
    this.host = settings.host;
    this.signal = AbortSignal.any([settings.signal, this.#closing.signal]);
    this.#clear = mayBeClear(settings.host, settings.insecure);
    this.#transport = new Transport(settings.patience, settings.env);
    this.pacer = new Pacer(settings.host, settings.pacing, settings.notice);
    this.#auth = new Authenticator({
      host: settings.host,
      credentials: settings.credentials,
      transport: this.#transport,
      secrets: this.secrets,
      clear: this.#clear,
      signal: this.signal,
    });
  }

  /** Ends all requests and connections. */
  close(): void {
    this.#closing.abort();
    this.#transport.close();
  }

  /**
   * Asks, and again after temporary failures.
   *
   * @throws {RegistryFault} when the answer is none of those that are accepted.
   */
  ask(question: Question): Promise<Answer> {
    return this.#again(question, (signal) => this.#askOnce(question, signal));
  }

  /**
   * Asks for something that is read whole, or as far as the limit goes; again if it breaks off.
   *
   * @param limit in bytes.
   */
  read(question: Question, limit: number): Promise<WholeAnswer> {
    return this.#again(question, async (signal) => {
      const answer = await this.#askOnce(question, signal);
      try {
        return { answer, ...await answer.bytes(limit) };
      } catch (error) {
        throw broken(error, this.#doing(question), answer.url.host, this.secrets);
      }
    });
  }

  async #again<T>(question: Question, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = signalOf(question, this.signal);
    let silences = 0;
    let began = 0;
    const once = () => {
      this.pacer.refuseSilent();
      began = performance.now();
      return attempt(signal);
    };
    for (let failures = 1;; failures++) {
      await this.pacer.ready(signal);
      try {
        return await (question.carriesBlob ? once() : this.#short.run(once));
      } catch (error) {
        signal.throwIfAborted();
        if (!isTemporary(error) || question.retry === false) throw error;
        if (error.facts.silent) silences = this.pacer.silences(began, silences);
        if (!this.pacer.allows(failures, silences, error)) throw error;
        await this.pacer.pause(failures, error, signal);
      }
    }
  }

  #doing({ action, repository }: Pick<Question, "action" | "repository">): Doing {
    return { action, where: `${this.host}/${repository}` };
  }

  async #askOnce(question: Question, signal: AbortSignal): Promise<Answer> {
    const doing = this.#doing(question);
    const answer = await this.#exchange(question, doing, signal);
    if (question.accepts.includes(answer.status)) return answer;
    const refusal = await readRefusal(answer, this.secrets);
    if (refusal.status === 403 && !refusal.temporary) {
      throw await this.#auth.denied({ ...question, doing }, refusal.text, false);
    }
    throw refused(doing, refusal);
  }

  /** Sends until it is let in and no longer sent elsewhere. */
  async #exchange(question: Question, doing: Doing, signal: AbortSignal): Promise<Answer> {
    const base = await this.#baseUrl(doing, signal);
    let url = typeof question.at === "string" ? new URL(question.at, base) : question.at;
    let wanted: Wanted = { ...question, doing };
    const meter = new Meter(question.onBytes);
    let redirects = 0;
    for (let challenges = 0;; meter.takeBack()) {
      // Who asks is nobody's business but the registry's own.
      const isOwn = url.origin === base.origin;
      const proof = isOwn ? await this.#auth.prove(wanted) : {};
      const { header } = proof;
      const answer = await this.#send(
        { ...question, onBytes: meter.add },
        url,
        header,
        doing,
        signal,
      );
      if (answer.status === 401 && isOwn && !question.accepts.includes(401)) {
        const scopes = challenges++ < CHALLENGES
          ? await this.#auth.learn(answer, base, proof, wanted)
          : undefined;
        if (scopes === undefined) {
          const { text } = await readRefusal(answer, this.secrets);
          throw await this.#auth.denied(wanted, text, proof.grant === undefined);
        }
        await answer.discard();
        wanted = { ...wanted, scopes };
        continue;
      }
      const next = redirection(answer, question.method, base, doing);
      if (next === undefined) return answer;
      await answer.discard();
      if (++redirects > REDIRECTS) throw hostile(doing, "it redirects in circles");
      url = next;
    }
  }

  async #send(
    question: Question,
    url: URL,
    authorization: string | undefined,
    doing: Doing,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { method, headers, body, length, onBytes } = question;
    const bringsBlob = question.carriesBlob === true && method !== "GET";
    const meter = new Meter(onBytes);
    for (let stale = 0;; stale++, meter.takeBack()) {
      const opened = await body?.();
      try {
        using _told = bringsBlob ? undefined : this.pacer.watch();
        const answer = await this.#transport.send({
          method,
          url,
          bringsBlob,
          headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
          signal,
          ...(opened === undefined ? {} : { body: opened }),
          ...(length === undefined ? {} : { length }),
          onBytes: meter.add,
        });
        this.pacer.answered();
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof BodyFailure) throw error.cause;
        const isStale = (error as { reusedSocket?: boolean }).reusedSocket === true;
        if (!isStale || stale >= STALE) {
          throw broken(error, doing, url.host, this.secrets);
        }
      }
    }
  }

  /** A place that an answer names in its `Location`. */
  async located(answer: Answer, question: Pick<Question, "action" | "repository">): Promise<URL> {
    const doing = this.#doing(question);
    return locationOf(answer, await this.#baseUrl(doing, this.signal), doing);
  }

  #baseUrl(doing: Doing, signal: AbortSignal): Promise<URL> {
    this.#base ??= findBase(this.host, this.#clear, this.#transport, signal).catch((error) => {
      this.#base = undefined;
      signal.throwIfAborted();
      throw broken(error, doing, this.host, this.secrets);
    });
    return this.#base;
  }
}

function signalOf({ signal, signalInstead }: Question, all: AbortSignal): AbortSignal {
  return signalInstead ?? (signal === undefined ? all : AbortSignal.any([signal, all]));
}
