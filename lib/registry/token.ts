/**
 * Fetching bearer tokens.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */

import type { Answer } from "./answer.ts";
import type { Credential } from "./credentials.ts";
import type { Pacer } from "./pacer.ts";
import { broken, refused, RegistryFault } from "./faults.ts";
import { readRefusal } from "./refusals.ts";
import { base64, type Secrets } from "./secrets.ts";
import type { Request, Transport } from "./transport.ts";

/** The most of a token server's answer that is read, in bytes. */
const ANSWER_LIMIT = 1024 * 1024;

/** What is being done, in faults. */
const ACTION = "fetch a token";

/** How long a token lives when its server does not say, in milliseconds. */
const DEFAULT_LIFE = 60_000;

/** Redirects that are followed one after the other. */
const REDIRECTS = 3;

/** Statuses of a server that does not know an OAuth request. */
const NO_POST = [404, 405, 415, 501];

/** Who issues tokens. */
export interface TokenServer {
  readonly realm: URL;
  readonly service: string;
}

/** A token and how long it can be used. */
export interface Token {
  readonly value: string;
  /** How long it can be used, in milliseconds. */
  readonly life: number;
  /** What takes the place of the refresh token that was sent. */
  readonly refresh?: string;
}

/** What fetching a token needs. */
export interface TokenContext {
  readonly transport: Transport;
  readonly secrets: Secrets;
  readonly signal: AbortSignal;
  readonly pacer: Pacer;
  /** Whether a URL may be asked for tokens. */
  readonly isSafe: (url: URL) => boolean;
}

/**
 * Fetches a token for scopes, anonymously where there is no credential.
 *
 * @throws {RegistryFault} when it is refused.
 */
export async function fetchToken(
  server: TokenServer,
  scopes: readonly string[],
  credential: Credential | undefined,
  context: TokenContext,
): Promise<Token> {
  context.pacer.refuseSilent(channelOf(server.realm));
  if (credential?.kind === "identity") {
    const answer = await postRefresh(server, scopes, credential.token, context);
    // Not all servers know this way; they take the token as a password instead.
    if (!NO_POST.includes(answer.status)) return await readToken(answer, context);
    await answer.discard();
  }
  return await readToken(await get(server, scopes, credential, context), context);
}

function get(
  { realm, service }: TokenServer,
  scopes: readonly string[],
  credential: Credential | undefined,
  context: TokenContext,
): Promise<Answer> {
  const url = new URL(realm);
  const more = new URLSearchParams(service === "" ? [] : [["service", service]]);
  for (const scope of scopes) more.append("scope", scope);
  // The realm's own query is kept as it is: it may be signed.
  url.search = [url.search.slice(1), more.toString()].filter((part) => part !== "").join("&");
  const headers = credential === undefined ? {} : { authorization: basicHeader(credential) };
  return send({ method: "GET", url, headers, signal: context.signal }, context);
}

function postRefresh(
  { realm, service }: TokenServer,
  scopes: readonly string[],
  token: string,
  context: TokenContext,
): Promise<Answer> {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service,
    client_id: "images",
    scope: scopes.join(" "),
    refresh_token: token,
  });
  return send({
    method: "POST",
    url: realm,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new TextEncoder().encode(form.toString()),
    signal: context.signal,
  }, context);
}

/** Sends, and goes where a GET is redirected to; another origin gets no credentials. */
async function send(request: Request, context: TokenContext): Promise<Answer> {
  let { url, headers } = request;
  for (let redirects = 0;; redirects++) {
    const answer = await sendOnce({ ...request, url, headers }, context);
    const location = answer.header("location");
    const isRedirect = answer.status >= 301 && answer.status <= 308 && request.method === "GET";
    const next = location === undefined ? null : URL.parse(location, url);
    if (!isRedirect || next === null || redirects >= REDIRECTS || !context.isSafe(next)) {
      return answer;
    }
    await answer.discard();
    if (next.origin !== url.origin) headers = {};
    url = next;
  }
}

async function sendOnce(request: Request, context: TokenContext): Promise<Answer> {
  const { transport, signal, pacer } = context;
  const { host } = request.url;
  try {
    using _told = pacer.watch(host);
    return await transport.send({ ...request, isDocument: true });
  } catch (error) {
    signal.throwIfAborted();
    throw silentFault(error, request.url, context);
  }
}

/** What kind of request fails where a token server is silent. */
function channelOf({ host }: URL): string {
  return `tokens of ${host}`;
}

function silentFault(error: unknown, url: URL, { secrets }: TokenContext): RegistryFault {
  const fault = broken(error, { action: ACTION, where: url.host }, url.host, secrets);
  return fault.with({ channel: channelOf(url) });
}

/** The header that carries a credential as it is. */
export function basicHeader(credential: Credential): string {
  switch (credential.kind) {
    case "token":
      return `Bearer ${credential.token}`;
    case "identity":
      return `Basic ${base64(`${credential.user}:${credential.token}`)}`;
    case "password":
      return `Basic ${base64(`${credential.user}:${credential.password}`)}`;
  }
}

async function readToken(answer: Answer, context: TokenContext): Promise<Token> {
  const { secrets, pacer } = context;
  const { url } = answer;
  const doing = { action: ACTION, where: url.host };
  if (answer.status !== 200) throw refused(doing, await readRefusal(answer, secrets));
  using _told = pacer.watch(url.host);
  const { bytes } = await answer.bytes(ANSWER_LIMIT).catch((error) => {
    throw silentFault(error, url, context);
  });
  pacer.answered(channelOf(url));
  const document = parse(bytes);
  const value = [document.token, document.access_token].find(isToken);
  if (value === undefined) {
    throw new RegistryFault(`Cannot ${ACTION}: the answer holds none`, {}, {
      where: doing.where,
      next: "look at the token server's own log",
    });
  }
  const { refresh_token: refresh } = document;
  secrets.add(value, ...(isToken(refresh) ? [refresh] : []));
  const life = lifeOf(document.expires_in);
  return isToken(refresh) ? { value, life, refresh } : { value, life };
}

function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
}

/** Counted from its arrival: the server's clock may be another than ours. */
function lifeOf(seconds: unknown): number {
  const life = typeof seconds === "string" ? Number(seconds) : seconds;
  return typeof life === "number" && life > 0 ? life * 1_000 : DEFAULT_LIFE;
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof document === "object" && document !== null) return document as never;
  } catch {
    // What is no JSON holds no token.
  }
  return {};
}
