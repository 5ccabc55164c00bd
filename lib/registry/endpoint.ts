/** Asking one registry: with what it wants to know of us, again where that helps, and redirected. */

import { Slots } from "../model/slots.ts";
import type { Answer } from "./answer.ts";
import { Authenticator } from "./auth.ts";
import { BodyFailure } from "./body.ts";
import type { Credentials } from "./credentials.ts";
import type { Wanted } from "./denials.ts";
import {
  broken,
  type Doing,
  isTemporary,
  refused,
  refusedElsewhere,
  RegistryFault,
} from "./faults.ts";
import { apiHost } from "./host.ts";
import { type Question, signalOf } from "./question.ts";
import { readRefusal } from "./refusals.ts";
import { findBase, hostile, locationOf, mayBeClear, redirection } from "./locations.ts";
import { Meter } from "./meter.ts";
import { Pacer, type Pacing } from "./pacer.ts";
import { pullScope, pushScope } from "./scope.ts";
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
  /** Whether a repository is nobody's here, such as a base's. */
  readonly isStrange: (repository: string) => boolean;
}

/** The requests that are answered with documents: the host may answer others and not these. */
const DOCUMENTS = "documents";

/** The requests that bring blobs. */
export const UPLOADS = "uploads";

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
  /** The repositories that are going to be written: reading them asks for that right, too. */
  readonly written: Set<string> = new Set();
  /** Aborted when the run or this endpoint ends. */
  readonly signal: AbortSignal;
  /** Plain http may be spoken to it. */
  readonly #clear: boolean;
  readonly #transport: Transport;
  readonly #closing = new AbortController();
  readonly #short = new Slots(SHORT_REQUESTS);
  readonly #auth: Authenticator;
  /** Whether a repository is nobody's here, such as a base's. */
  readonly isStrange: (repository: string) => boolean;
  #base: Promise<URL> | undefined;

  constructor(settings: EndpointSettings) {
    this.host = settings.host;
    this.signal = AbortSignal.any([settings.signal, this.#closing.signal]);
    this.#clear = mayBeClear(settings.host, settings.insecure);
    this.#transport = new Transport(settings.patience, settings.env);
    this.pacer = new Pacer(settings.host, settings.pacing, settings.notice);
    this.isStrange = settings.isStrange;
    this.#auth = new Authenticator({
      host: settings.host,
      credentials: settings.credentials,
      transport: this.#transport,
      secrets: this.secrets,
      clear: this.#clear,
      pacer: this.pacer,
      notice: settings.notice,
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
    return this.#again(question, undefined, (signal) => this.#askOnce(question, signal));
  }

  /**
   * Asks for something that is read whole, or as far as the limit goes; again if it breaks off.
   *
   * @param limit in bytes; where the answer says that it is longer, nothing is read.
   */
  read(question: Question, limit: number): Promise<WholeAnswer> {
    return this.#again(question, DOCUMENTS, async (signal) => {
      const answer = await this.#askOnce({ ...question, isDocument: true }, signal);
      try {
        using _told = this.pacer.watch(this.#nameOf(answer.url));
        if ((answer.length ?? 0) > limit) {
          answer.destroy();
          return { answer, bytes: new Uint8Array(), complete: false };
        }
        const read = await answer.bytes(limit);
        this.pacer.answered(DOCUMENTS);
        return { answer, ...read };
      } catch (error) {
        throw broken(error, this.#doing(question), answer.url.host, this.secrets);
      }
    });
  }

  async #again<T>(
    question: Question,
    channel: string | undefined,
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const signal = signalOf(question, this.signal);
    const attempts = this.pacer.attempts(channel);
    const once = () => {
      attempts.begin();
      return attempt(signal);
    };
    for (;;) {
      await this.pacer.ready(signal);
      try {
        return await (question.carriesBlob ? once() : this.#short.run(once));
      } catch (error) {
        signal.throwIfAborted();
        if (!isTemporary(error) || question.retry === false) throw error;
        if (!attempts.mayRetry(error)) throw error;
        await attempts.pause(error, signal);
      }
    }
  }

  #doing({ action, repository }: Pick<Question, "action" | "repository">): Doing {
    const isStrange = this.isStrange(repository);
    return { action, where: `${this.host}/${repository}`, ...(isStrange ? { isStrange } : {}) };
  }

  /** Who may not do all that will be done may still be allowed to read. */
  async #askOnce(question: Question, signal: AbortSignal): Promise<Answer> {
    const { repository, scopes } = question;
    const isReading = scopes.length === 1 && scopes[0] === pullScope(repository);
    if (!isReading || !this.written.has(repository)) {
      return await this.#askAs(question, signal);
    }
    try {
      const writing = { ...question, scopes: [pushScope(repository)] };
      return await this.#askAs(writing, signal);
    } catch (error) {
      const isDenied = error instanceof RegistryFault && error.facts.denied === true;
      if (!isDenied || !this.#auth.usesTokens) throw error;
      this.written.delete(repository);
      return await this.#askAs(question, signal);
    }
  }

  async #askAs(question: Question, signal: AbortSignal): Promise<Answer> {
    const doing = this.#doing(question);
    const base = await this.#baseUrl(doing, signal);
    const answer = await this.#exchange(question, doing, base, signal);
    if (question.accepts.includes(answer.status)) return answer;
    const refusal = await readRefusal(answer, this.secrets);
    const { origin, host } = answer.url;
    if (origin !== base.origin) {
      throw refusedElsewhere(doing, host, refusal, question.carriesBlob === true);
    }
    if (refusal.status === 403 && !refusal.temporary) {
      const denied = await this.#auth.denied({ ...question, doing }, refusal.text, false);
      throw denied.with({ codes: refusal.codes });
    }
    throw refused(doing, refusal);
  }

  /** Sends until it is let in and no longer sent elsewhere. */
  async #exchange(
    question: Question,
    doing: Doing,
    base: URL,
    signal: AbortSignal,
  ): Promise<Answer> {
    let url = typeof question.at === "string" ? new URL(question.at, base) : question.at;
    const wanted: Wanted = { ...question, doing };
    const meter = new Meter(question.onBytes);
    let redirects = 0;
    for (let challenges = 0;; meter.takeBack()) {
      // Who asks is nobody's business but the registry's own.
      const isOwn = url.origin === base.origin;
      const proof = isOwn ? await this.#auth.prove(wanted) : {};
      const answer = await this.#send(
        { ...question, onBytes: meter.add },
        url,
        proof.header,
        doing,
        signal,
      ).catch((error) => {
        throw isOwn || !(error instanceof RegistryFault) ? error : error.with({ elsewhere: true });
      });
      const { status } = answer;
      const isMore = status === 403 && proof.grant !== undefined && challenges < CHALLENGES &&
        this.#auth.namesMore(answer, wanted);
      if (isOwn && (status === 401 || isMore)) {
        const isLearnt = challenges++ < CHALLENGES &&
          await this.#auth.learn(answer, base, proof, wanted);
        if (!isLearnt) {
          const { text, codes } = await readRefusal(answer, this.secrets);
          throw (await this.#auth.refused(wanted, text, proof)).with({ codes });
        }
        await answer.discard();
        continue;
      }
      if (status < 400) await this.#auth.accepted(proof);
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
    const { method, headers, body, length, onBytes, isDocument = false, blobSize = 0 } = question;
    const bringsBlob = question.carriesBlob === true && method !== "GET";
    const meter = new Meter(onBytes);
    for (let stale = 0;; stale++, meter.takeBack()) {
      const opened = await body?.();
      try {
        using told = new DisposableStack();
        const host = this.#nameOf(url);
        if (!bringsBlob) told.use(this.pacer.watch(host));
        const onSent = () => {
          if (!told.disposed) told.use(this.pacer.watch(host, true));
        };
        const answer = await this.#transport.send({
          method,
          url,
          isDocument,
          ...(bringsBlob ? { blobSize, onSent, watch: () => this.pacer.watch(host) } : {}),
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

  /** A URL's host as people know it. */
  #nameOf({ host }: URL): string {
    return host === apiHost(this.host) ? this.host : host;
  }

  /** A place that an answer names in its `Location`. */
  async located(answer: Answer, question: Pick<Question, "action" | "repository">): Promise<URL> {
    const doing = this.#doing(question);
    return locationOf(answer, await this.#baseUrl(doing, this.signal), doing);
  }

  #baseUrl(doing: Doing, signal: AbortSignal): Promise<URL> {
    this.#base ??= this.#findBase(doing, signal);
    return this.#base;
  }

  async #findBase(doing: Doing, signal: AbortSignal): Promise<URL> {
    try {
      using _told = this.pacer.watch();
      return await findBase(this.host, this.#clear, this.#transport, signal);
    } catch (error) {
      this.#base = undefined;
      signal.throwIfAborted();
      throw broken(error, doing, this.host, this.secrets);
    }
  }
}
