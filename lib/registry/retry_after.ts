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
 * Finds the delay in the text of a refusal, such as GHCR's
 * `retry-after: 10.3ms, allowed: 44000/minute`.
 *
 * @returns milliseconds, or undefined where none is named.
 */
export function retryAfterIn(message: string): number | undefined {
  const match = IN_WORDS.exec(message);
  if (match === null) return undefined;
  const [, text = "", unit] = match;
  const duration = text.replace(/\.+$/, "");
  if (!/^\d+(?:\.\d+)?$/.test(duration)) return parseDuration(duration);
  return finite(Number(duration) * (unit === undefined ? 1_000 : UNITS[unit[0]!.toLowerCase()]!));
}

/** e.g. `retry-after: 10.3ms`, `Retry after 2 minutes` or `try again in 30 seconds`. */
const IN_WORDS =
  /(?:retry[- ]after|try again (?:in|after)|wait|retry in)[:=]? {0,8}(\d[0-9.a-zµμ]{0,31})(?: {1,4}(seconds?|minutes?|hours?|secs?|mins?)\b)?/i;

/**
 * Reads when a rate limit begins anew: seconds from now, or since 1970.
 *
 * @param now current time, in milliseconds since 1970.
 * @returns milliseconds from now, or undefined where the text is neither.
 */
export function parseReset(header: string, now: number): number | undefined {
  if (!/^\d{1,10}$/.test(header.trim())) return undefined;
  const seconds = Number(header);
  return seconds < YEAR ? seconds * 1_000 : Math.max(0, seconds * 1_000 - now);
}

/** Seconds of a year: a wait is shorter, a date later. */
const YEAR = 31_536_000;

/** A duration as Go prints it, e.g. `1m30s` or `10.3ms`; in milliseconds. */
function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(DURATION)];
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== text) return undefined;
  return finite(parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0));
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
