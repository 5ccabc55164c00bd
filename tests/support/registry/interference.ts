/** What can go wrong with one request. */

/** Kinds of requests, by what they ask for. */
export type Kind =
  | "ping"
  | "manifest-head"
  | "manifest-get"
  | "manifest-put"
  | "blob-head"
  | "blob-get"
  | "upload-begin"
  | "mount"
  | "upload-status"
  | "upload-patch"
  | "upload-put"
  | "upload-delete"
  | "referrers"
  | "other";

/** What happens to one request; what is not named happens as it should. */
export interface Interference {
  /** Is waited for before anything is done. */
  readonly wait?: () => Promise<unknown> | void;
  /** Answers in the place of the registry; the request is not handled unless `handled` says so. */
  readonly answer?: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** The request is handled although its answer is another, or none. */
  readonly handled?: boolean;
  /** Answers without reading the request's body. */
  readonly early?: boolean;
  /** The connection breaks: at once, or after so many bytes of the request's body. */
  readonly reset?: "at once" | { readonly afterReading: number } | "instead of answering";
  /** Headers that are set, or left out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The connection breaks after so many bytes of the answer's body. */
  readonly truncate?: number;
  /** Nothing follows after so many bytes of the answer's body. */
  readonly stall?: number;
  /** The answer's body comes a byte at a time, with so many milliseconds between, after the first. */
  readonly drip?: number;
  /** Answers with the whole blob where a part was asked for. */
  readonly ignoresRange?: boolean;
  /** Changes the answer's body. */
  readonly change?: (body: Uint8Array) => Uint8Array;
}

/** An answer with the error document of the distribution specification. */
export function refusal(
  status: number,
  code: string,
  message = code.toLowerCase(),
  headers: Readonly<Record<string, string>> = {},
): Interference {
  return {
    answer: {
      status,
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ errors: [{ code, message }] }),
    },
  };
}

/** GHCR's answer under load, which names the delay only in its message. */
export function ghcrThrottle(delay: string): Interference {
  return refusal(429, "TOOMANYREQUESTS", `retry-after: ${delay}, allowed: 44000/minute`);
}

/** GHCR's answer to too many requests at once. */
export function ghcrSecondaryLimit(): Interference {
  return {
    answer: {
      status: 403,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        message: "You have exceeded a secondary rate limit. Please wait a few minutes.",
      }),
    },
  };
}

/** What may befall any request in a campaign, chosen by a number from 0 to 1. */
export function anyInterference(kind: Kind, choice: number): Interference {
  const general: Interference[] = [
    refusal(500, "UNKNOWN"),
    { answer: { status: 502, body: "<html>bad gateway</html>" } },
    refusal(503, "UNAVAILABLE", "try later", { "retry-after": "0" }),
    refusal(429, "TOOMANYREQUESTS", "slow down", { "retry-after": "0" }),
    ghcrThrottle("1.5ms"),
    { reset: "at once" },
    { reset: "instead of answering" },
  ];
  const special: Partial<Record<Kind, Interference[]>> = {
    "blob-get": [{ truncate: 1 }, { truncate: 1000 }],
    "manifest-get": [{ truncate: 5 }],
    "manifest-head": [{ headers: { "docker-content-digest": undefined } }],
    "manifest-put": [{ reset: "instead of answering", handled: true }],
    mount: [refusal(401, "UNAUTHORIZED"), refusal(404, "NAME_UNKNOWN")],
    "upload-put": [
      { reset: "instead of answering", handled: true },
      { ...refusal(404, "BLOB_UPLOAD_UNKNOWN"), handled: true },
      { ...refusal(502, "UNKNOWN"), handled: true },
      { reset: { afterReading: 100 } },
      { ...refusal(500, "UNKNOWN"), early: true },
    ],
    "upload-patch": [{ reset: { afterReading: 100 } }, refusal(404, "BLOB_UPLOAD_UNKNOWN")],
  };
  const all = [...general, ...special[kind] ?? []];
  return all[Math.min(all.length - 1, Math.floor(choice * all.length))]!;
}
