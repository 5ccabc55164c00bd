/**
 * Fetching bearer tokens.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */

import type { Answer } from "./answer.ts";
import type { Credential } from "./credentials.ts";
import { broken, readRefusal, refused, RegistryFault } from "./faults.ts";
import { base64, type Secrets } from "./secrets.ts";
import type { Request, Transport } from "./transport.ts";

/** The most of a token server's answer that is read, in bytes. */
const ANSWER_LIMIT = 1024 * 1024;

/** What is being done, in faults. */
const ACTION = "fetch a token";

/** How long a token lives when its server does not say, in milliseconds. */
const DEFAULT_LIFE = 60_000;

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
}

/** What fetching a token needs. */
export interface TokenContext {
  readonly transport: Transport;
  readonly secrets: Secrets;
  readonly signal: AbortSignal;
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
  if (credential?.kind === "identity") {
    const answer = await postRefresh(server, scopes, credential.token, context);
    // Not all servers know this way; they take the token as a password instead.
    if (answer.status !== 404 && answer.status !== 405) return await readToken(answer, context);
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
  if (service !== "") url.searchParams.append("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
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

async function send(request: Request, { transport, secrets, signal }: TokenContext) {
  const { host } = request.url;
  try {
    return await transport.send(request);
  } catch (error) {
    signal.throwIfAborted();
    throw broken(error, { action: ACTION, where: host }, host, secrets);
  }
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

async function readToken(answer: Answer, { secrets }: TokenContext): Promise<Token> {
  const doing = { action: ACTION, where: answer.url.host };
  if (answer.status !== 200) throw refused(doing, await readRefusal(answer, secrets));
  const { bytes } = await answer.bytes(ANSWER_LIMIT).catch((error) => {
    throw broken(error, doing, doing.where, secrets);
  });
  const document = parse(bytes);
  const value = [document.token, document.access_token].find((each) =>
    typeof each === "string" && each !== ""
  );
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) {
    throw new RegistryFault(`Cannot ${ACTION}: the answer holds none`, {}, {
      where: doing.where,
      next: "look at the token server's own log",
    });
  }
  secrets.add(value);
  const { expires_in: seconds } = document;
  const life = typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : DEFAULT_LIFE;
  return { value, life };
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
