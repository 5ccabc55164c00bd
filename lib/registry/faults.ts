/** What a registry's refusals and the network's failures mean, in people's words. */

import { Fault, type FaultOptions } from "../model/errors.ts";
import type { Answer } from "./answer.ts";
import { TimeoutError } from "./deadline.ts";
import { parseRetryAfter, retryAfterIn } from "./retry_after.ts";
import type { Secrets } from "./secrets.ts";

/** The most of a refusal that is read, in bytes. */
const REFUSAL_LIMIT = 64 * 1024;

/** Statuses that say nothing of the request: it may be asked again. */
const TEMPORARY = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524]);

/** What a registry says whose storage takes no more: the same will not succeed by itself. */
const FULL = /no space left|disk quota|ENOSPC/i;

/** Errors of the network after which it may be tried again. */
const TEMPORARY_CODES = new Set([
  ...["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "ENETRESET"],
  ...["ERR_STREAM_PREMATURE_CLOSE", "HPE_INVALID_EOF_STATE"],
]);

/** What is known of a failure besides its text. */
interface FailureFacts {
  /** The registry's status, where it answered. */
  readonly status?: number;
  /** The registry's own codes, e.g. `BLOB_UPLOAD_UNKNOWN`. */
  readonly codes?: readonly string[];
  /** The registry's words, fit to be shown. */
  readonly text?: string;
  /** The registry does not let whoever asks do this. */
  readonly denied?: boolean;
  /** The same may succeed later. */
  readonly temporary?: boolean;
  /** There was no answer, or no connection, as long as it was waited for. */
  readonly silent?: boolean;
  /** The registry wants to be left alone by everybody for a while. */
  readonly throttled?: boolean;
  /** How long, in milliseconds. */
  readonly retryAfter?: number;
}

/** A failure of an exchange with a registry. */
export class RegistryFault extends Fault {
  /** What is known besides the text. */
  readonly facts: FailureFacts;

  constructor(message: string, facts: FailureFacts, options: FaultOptions) {
    super(message, options);
    this.facts = facts;
  }
}

/** Says whether the same may succeed later. */
export function isTemporary(error: unknown): error is RegistryFault {
  return error instanceof RegistryFault && error.facts.temporary === true;
}

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
  const body = await answer.bytes(REFUSAL_LIMIT).catch(() => ({ bytes: new Uint8Array() }));
  const raw = new TextDecoder().decode(body.bytes);
  const errors = errorsIn(raw);
  const isText = answer.header("content-type")?.startsWith("text/plain") ?? false;
  const text = errors.map(({ text }) => text).join("; ") || (isText ? raw : "");
  const header = answer.header("retry-after");
  const retryAfter = (header === undefined ? undefined : parseRetryAfter(header, Date.now())) ??
    retryAfterIn(raw);
  const limited = status === 403 && /secondary rate limit|rate limit exceeded/i.test(raw);
  return {
    status,
    codes: errors.map(({ code }) => code),
    text: secrets.clean(text),
    temporary: limited || (TEMPORARY.has(status) && !FULL.test(text)),
    throttled: limited || status === 429 || (status === 503 && retryAfter !== undefined),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
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

/** What was being done, for the texts of faults. */
export interface Doing {
  /** Infinitive, e.g. `read the manifest`. */
  readonly action: string;
  /** Where: host, or host and repository. */
  readonly where: string;
}

/** The fault for a refusal that has no special meaning. */
export function refused({ action, where }: Doing, refusal: Refusal): RegistryFault {
  const { status, text } = refusal;
  const said = text === "" ? `status ${status}` : `status ${status}, ${text}`;
  return new RegistryFault(`Cannot ${action}: the registry answers ${said}`, refusal, {
    where,
    next: nextFor(refusal),
  });
}

/** A part of an image that was published is gone. */
const LOST = ["BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"];

function nextFor({ status, text, codes, throttled, temporary }: Refusal): string {
  if (throttled) return "wait until the registry's rate limit is over, or use fewer --jobs";
  if (FULL.test(text)) return "free space at the registry";
  if (codes.some((code) => LOST.includes(code))) return "push the image again with --force";
  if (codes.includes("NAME_UNKNOWN")) return "create the repository, or correct its name";
  if (status === 404) return "check the registry's host and the repository's name";
  if (status === 405) return "check that the registry accepts pushes";
  if (status === 413) return "raise the size limit of the registry or of the proxy in front of it";
  if (temporary) return "try again; if it stays so, look at the registry's own log";
  return "look at the registry's own log";
}

/** The fault for an exchange that broke. */
export function broken(
  error: unknown,
  { action, where }: Doing,
  host: string,
  secrets: Secrets,
): RegistryFault {
  const { code = "", message } = error as { code?: string; message: string };
  const temporary = TEMPORARY_CODES.has(code) || /unexpected (eof|end of file)/i.test(message);
  const options = { where, cause: undefined };
  const cannotReach = (why: string, next: string) =>
    new RegistryFault(`Cannot reach ${host}: ${why}`, { temporary }, { ...options, next });
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return cannotReach("its name is not known", "correct the registry's host, or check DNS");
    case "ECONNREFUSED":
      return cannotReach("nothing listens there", "start the registry, or correct its host");
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return cannotReach("there is no route to it", "check the network and HTTPS_PROXY");
    case "ERR_SSL_WRONG_VERSION_NUMBER":
      return cannotReach(
        "it does not speak TLS",
        "declare it with `registry(…, { insecure: true })` if plain http is meant",
      );
  }
  if (/certificate|CERT_|UNABLE_TO_|SELF_SIGNED/.test(`${code} ${message}`)) {
    return cannotReach(
      `its certificate is not trusted (${secrets.clean(message)})`,
      `put its authority into /etc/docker/certs.d/${host}/ca.crt or NODE_EXTRA_CA_CERTS`,
    );
  }
  const why = code === "ECONNRESET" ? "the connection broke" : secrets.clean(message);
  const silent = error instanceof TimeoutError && error.isSilence;
  return new RegistryFault(`Cannot ${action}: ${why}`, { temporary, silent }, {
    ...options,
    next: "check the network and HTTPS_PROXY, then try again",
  });
}
