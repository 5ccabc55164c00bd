/**
 * The challenges of a `WWW-Authenticate` header.
 *
 * @see RFC 9110, sections 11.2 to 11.6
 */

/** One way to authenticate that a server offers. */
export interface Challenge {
  /** In lower case, e.g. `bearer`. */
  readonly scheme: string;
  /** By name in lower case; of several of one name the first, of scopes all. */
  readonly params: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const SPACE = /[ \t]*/y;
const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;
/** What some servers send without quotes although it is no token: a URL, a scope. */
const BARE = /[^\s,"]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;

/**
 * Reads the challenges of a header; several headers may be joined by commas. What cannot be read
 * is left out, what follows it is read on.
 */
export function parseChallenges(header: string): Challenge[] {
  const reader = new Reader(header);
  const challenges: Challenge[] = [];
  let params: Map<string, string> | undefined;
  while (!reader.done) {
    reader.skip(SPACE);
    if (reader.literal(",")) continue;
    const name = reader.take(TOKEN);
    if (name === undefined) {
      reader.advance();
      continue;
    }
    reader.skip(SPACE);
    if (params !== undefined && reader.literal("=")) {
      reader.skip(SPACE);
      const value = reader.quoted() ?? reader.take(BARE) ?? "";
      const key = name.toLowerCase();
      const first = params.get(key);
      if (first === undefined) params.set(key, value);
      else if (key === "scope") params.set(key, `${first} ${value}`);
      continue;
    }
    params = new Map();
    challenges.push({ scheme: name.toLowerCase(), params });
    // Credentials such as Negotiate's follow a scheme without a name of their own.
    reader.take(TOKEN68);
  }
  return challenges;
}

/** A text and how far it has been read. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  advance(): void {
    this.#at += 1;
  }

  literal(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  skip(pattern: RegExp): void {
    this.take(pattern);
  }

  take(pattern: RegExp): string | undefined {
    return this.#match(pattern)?.[0];
  }

  /** A quoted text without its quotes and escapes; one that does not end is none. */
  quoted(): string | undefined {
    return this.#match(QUOTED)?.[1]?.replace(/\\([^])/g, "$1");
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }
}
