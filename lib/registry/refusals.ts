/** What a registry says that refuses something: its codes, its words, and whether to ask again. */

import type { Answer } from "./answer.ts";
import { FULL } from "./faults.ts";
import { parseReset, parseRetryAfter, retryAfterIn } from "./retry_after.ts";
import type { Secrets } from "./secrets.ts";

/** The most of a refusal that is read, in bytes. */
const REFUSAL_LIMIT = 64 * 1024;

/** Statuses that say nothing of the request: it may be asked again. */
const TEMPORARY = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524]);

/** A refusal as the registry put it. */
export interface Refusal {
  readonly status: number;
  readonly codes: readonly string[];
  /** The registry's words, fit to be shown; may be empty. */
  readonly text: string;
  readonly temporary: boolean;
  readonly throttled: boolean;
  readonly retryAfter?: number;
}

/** Reads an answer that is no success. */
export async function readRefusal(answer: Answer, secrets: Secrets): Promise<Refusal> {
  const { status } = answer;
  const body = await answer.bytes(REFUSAL_LIMIT, answer.patience.refusal)
    .catch(() => ({ bytes: new Uint8Array() }));
  const raw = new TextDecoder().decode(body.bytes);
  const errors = errorsIn(raw);
  const isText = answer.header("content-type")?.startsWith("text/plain") ?? false;
  const text = errors.map(({ text }) => text).join("; ") || (isText ? raw : "");
  const codes = errors.map(({ code }) => code);
  const named = retryAfterOf(answer) ?? retryAfterIn(raw);
  const limited = status === 429 ||
    (status >= 400 && status < 500 && (LIMITED.test(raw) || codes.includes("TOOMANYREQUESTS"))) ||
    (status === 403 && answer.header("retry-after") !== undefined);
  const retryAfter = named ?? (limited ? resetOf(answer) : undefined);
  return {
    status,
    codes,
    text: secrets.clean(text),
    temporary: limited || (TEMPORARY.has(status) && !FULL.test(text)),
    throttled: limited || (status === 503 && retryAfter !== undefined),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** What registries say who are asked too often, under whichever status. */
const LIMITED =
  /rate limit|rate exceeded|too many requests|toomanyrequests|ThrottlingException|abuse detection/i;

function retryAfterOf(answer: Answer): number | undefined {
  const header = answer.header("retry-after");
  return header === undefined ? undefined : parseRetryAfter(header, Date.now());
}

/** When a limit that is used up begins anew, as GitHub and GitLab tell it. */
function resetOf(answer: Answer): number | undefined {
  for (const prefix of ["x-ratelimit", "ratelimit"]) {
    if (!/^0\b/.test(answer.header(`${prefix}-remaining`) ?? "")) continue;
    const wait = parseReset(answer.header(`${prefix}-reset`) ?? "", Date.now());
    if (wait !== undefined) return wait;
  }
  return undefined;
}

/** The errors of a refusal's document, as the distribution specification and token servers have it. */
function errorsIn(raw: string): { code: string; text: string }[] {
  let document: unknown;
  try {
    document = JSON.parse(raw);
  } catch {
    return [];
  }
  if (typeof document !== "object" || document === null) return [];
  const { errors, error, details, message } = document as Record<string, unknown>;
  if (!Array.isArray(errors)) {
    const text = [details, message, error].find((each) => typeof each === "string");
    return typeof text === "string" ? [{ code: "", text }] : [];
  }
  return errors.flatMap((each: unknown) => {
    if (typeof each !== "object" || each === null) return [];
    const { code, message, detail } = each as Record<string, unknown>;
    const words = [
      code,
      message,
      typeof detail === "string" ? detail : detailText(detail),
    ].filter((word) => typeof word === "string" && word !== "");
    return [{ code: typeof code === "string" ? code : "", text: words.join(": ") }];
  });
}

/** What docker-registry says of failing storage is in the detail; lists say which rights it wants. */
function detailText(detail: unknown): string {
  if (typeof detail !== "object" || detail === null || Array.isArray(detail)) return "";
  const { Enclosed: enclosed } = detail as { Enclosed?: { Op?: unknown; Err?: unknown } };
  const error = ERRNO[String(enclosed?.Err)];
  if (error !== undefined) return `${enclosed?.Op}: ${error}`;
  return Object.keys(detail).length > 0 ? JSON.stringify(detail) : "";
}

/** Linux's numbers of what may befall a file, as Go writes them into JSON. */
const ERRNO: Readonly<Record<string, string>> = {
  5: "input/output error",
  13: "permission denied",
  28: "no space left on device",
  30: "read-only file system",
  122: "disk quota exceeded",
};
