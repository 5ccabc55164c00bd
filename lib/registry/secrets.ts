/** Keeping secrets out of what people see. */

import { redactUrl } from "./host.ts";

/** The most characters of somebody else's text that are shown. */
const TEXT_LIMIT = 300;

/** Shorter values cannot be told from ordinary words. */
const SHORTEST = 4;

/** The secrets that a client has used, so that nothing it says repeats them. */
export class Secrets {
  readonly #values = new Set<string>();

  /** Takes note of secrets, and of the forms in which they travel. */
  add(...values: readonly string[]): void {
    for (const value of values) {
      if (value.length < SHORTEST) continue;
      for (const form of [value, encodeURIComponent(value), base64(value)]) this.#values.add(form);
    }
  }

  /** A text from outside, made fit to be shown: no secrets, no queries, one short line. */
  clean(text: string): string {
    let clean = text.slice(0, 16 * TEXT_LIMIT);
    const longestFirst = [...this.#values].sort((a, b) => b.length - a.length);
    for (const value of longestFirst) clean = clean.replaceAll(value, "***");
    clean = clean.replace(/https?:\/\/[^\s"'<>]+/g, redactText)
      // deno-lint-ignore no-control-regex
      .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
    return clean.length > TEXT_LIMIT ? `${clean.slice(0, TEXT_LIMIT)}…` : clean;
  }
}

/** Base64 of a text's UTF-8 bytes. */
export function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function redactText(text: string): string {
  const url = URL.parse(text);
  return url === null ? "…" : redactUrl(url);
}
