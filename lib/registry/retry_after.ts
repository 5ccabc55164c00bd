/** How long a server asks to be left alone, in the forms that servers say it. */

/** Milliseconds of a unit, as Go prints durations. */
const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const DURATION = /(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g;

/**
 * Reads a `Retry-After` header: seconds or an HTTP date.
 *
 * @param now current time, in milliseconds since 1970.
 * @returns milliseconds, or undefined where the text is neither.
 * @see RFC 9110, section 10.2.3
 */
export function parseRetryAfter(header: string, now: number): number | undefined {
  const text = header.trim();
  if (/^\d+(?:\.\d+)?$/.test(text)) return finite(Number(text) * 1_000);
  if (/^\d/.test(text)) return parseDuration(text);
  const date = Date.parse(text);
  return /^[A-Za-z]{3}/.test(text) && Number.isFinite(date) ? Math.max(0, date - now) : undefined;
}

/**
 * Finds the delay in the text of a refusal, such as GHCR's `retry-after: 10.3ms, allowed: 44000/minute`.
 *
 * @returns milliseconds, or undefined where none is named.
 */
export function retryAfterIn(message: string): number | undefined {
  const match = /retry[- ]after[:=]?\s*([0-9.a-zµμ]+)/i.exec(message);
  if (match === null) return undefined;
  const text = match[1]!.replace(/\.+$/, "");
  if (/^\d+(?:\.\d+)?$/.test(text)) return finite(Number(text) * 1_000);
  return parseDuration(text);
}

/** A duration as Go prints it, e.g. `1m30s` or `10.3ms`; in milliseconds. */
function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(DURATION)];
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== text) return undefined;
  return finite(parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0));
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
