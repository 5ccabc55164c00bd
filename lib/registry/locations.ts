/** Where a registry is, and where its answers may send us. */

import type { Answer } from "./answer.ts";
import { type Doing, RegistryFault } from "./faults.ts";
import { apiHost, isLoopback, redactUrl } from "./host.ts";
import type { Transport } from "./transport.ts";

/** Statuses that send a request elsewhere: one that reads, and one that writes. */
const READ_REDIRECTS = [301, 302, 303, 307, 308];
const WRITE_REDIRECTS = [307, 308];

/** Says whether plain http may be spoken to a host: to this machine, or where that is declared. */
export function mayBeClear(host: string, insecure: boolean): boolean {
  return insecure || isLoopback(new URL(`https://${apiHost(host)}/`));
}

/**
 * The root of a registry's API; whether it speaks TLS is found out where plain http is allowed.
 *
 * @throws {Error} when it cannot be reached.
 */
export async function findBase(
  host: string,
  clear: boolean,
  transport: Transport,
  signal: AbortSignal,
): Promise<URL> {
  const secure = new URL(`https://${apiHost(host)}/`);
  if (!clear) return secure;
  const isTls = await transport.speaksTls(secure, signal).catch((error) => {
    // Without a port the two schemes have one each.
    if (secure.port !== "") throw error;
    return false;
  });
  return isTls ? secure : new URL(`http://${apiHost(host)}/`);
}

/** Where an answer sends a request, if it does: reading anywhere safe, writing on the same host. */
export function redirection(
  answer: Answer,
  method: string,
  base: URL,
  doing: Doing,
): URL | undefined {
  const reads = method === "GET" || method === "HEAD";
  const redirects = reads ? READ_REDIRECTS : WRITE_REDIRECTS;
  const location = answer.header("location");
  if (!redirects.includes(answer.status) || location === undefined) return undefined;
  const next = resolve(location, answer.url, base, doing);
  if (reads || next.origin === base.origin) return next;
  throw hostile(doing, `it redirects a ${method} to ${redactUrl(next)}`);
}

/** The place that an answer names in its `Location`. */
export function locationOf(answer: Answer, base: URL, doing: Doing): URL {
  const location = answer.header("location");
  if (location === undefined) throw hostile(doing, "it does not say where to upload to");
  return resolve(location, answer.url, base, doing);
}

/**
 * A URL that the registry named, relative to the one that was asked.
 *
 * @throws {RegistryFault} where nothing may be sent to it.
 */
function resolve(location: string, from: URL, base: URL, doing: Doing): URL {
  const url = URL.parse(location, from);
  if (url === null) throw hostile(doing, "it names a place that is no URL");
  url.username = "";
  url.password = "";
  url.hash = "";
  // Registries behind a proxy that ends TLS do not always know of it.
  if (url.protocol === "http:" && base.protocol === "https:" && url.hostname === base.hostname) {
    url.protocol = "https:";
    url.port = base.port;
  }
  const isSafe = url.protocol === "https:" ||
    (url.protocol === "http:" && base.protocol === "http:");
  if (!isSafe || (isLoopback(url) && !isLoopback(base))) {
    throw hostile(doing, `it sends us to ${redactUrl(url)}`);
  }
  return url;
}

/** The fault for a registry that wants what nobody should do. */
export function hostile({ action, where }: Doing, why: string): RegistryFault {
  return new RegistryFault(`Cannot ${action}: ${why}`, {}, {
    where,
    next: "check what the registry's host name leads to",
  });
}
