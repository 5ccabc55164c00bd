/** What a registry's refusals and the network's failures mean, in people's words. */

import { Fault, type FaultOptions } from "../model/errors.ts";
import { TimeoutError } from "./deadline.ts";
import type { Refusal } from "./refusals.ts";
import type { Secrets } from "./secrets.ts";

/** What a registry says whose storage takes no more: the same will not succeed by itself. */
export const FULL = /no space left|disk quota|ENOSPC/i;

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
  /** There is something, but no image, or none that can be read. */
  readonly noImage?: boolean;
  /** The same may succeed later. */
  readonly temporary?: boolean;
  /** There was no answer, or no connection, as long as it was waited for. */
  readonly silent?: boolean;
  /** Of those the requests that fail alike, where it is not the host that is silent. */
  readonly channel?: string;
  /** The host said nothing of what was asked: it cannot be reached, or fails. */
  readonly unanswered?: boolean;
  /** Why the host cannot be reached from here, and what to do if that is more than the network. */
  readonly unreachable?: { readonly why: string; readonly remedy?: string };
  /** Who asks may not do this, or does not say who it is. */
  readonly denied?: boolean;
  /** It was another host than the registry that refused. */
  readonly elsewhere?: boolean;
  /** The registry does not let a tag be replaced. */
  readonly immutable?: boolean;
  /** The registry does not know a part of a manifest, or does not yet. */
  readonly lacksPart?: boolean;
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

  /** The same fault, of which more is known. */
  with(facts: FailureFacts, where: string | undefined = this.where): RegistryFault {
    const { message, next } = this;
    return new RegistryFault(message, { ...this.facts, ...facts }, {
      ...(where === undefined ? {} : { where }),
      ...(next === undefined ? {} : { next }),
    });
  }
}

/** Says whether the same may succeed later. */
export function isTemporary(error: unknown): error is RegistryFault {
  return error instanceof RegistryFault && error.facts.temporary === true;
}

/** Says whether a host has told nothing of what was asked: it may hold it or not. */
export function isUnanswered(error: unknown): error is RegistryFault {
  if (!(error instanceof RegistryFault)) return false;
  const { unanswered, temporary, throttled } = error.facts;
  return unanswered === true || temporary === true || throttled === true;
}

/**
 * What a request answers, or undefined where it is refused to who asks: many registries say so of
 * what is not there, too. For what is going to be written, which says whether it was that.
 */
export async function unlessDenied<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof RegistryFault && error.facts.denied) return undefined;
    throw error;
  }
}

/** What was being done, for the texts of faults. */
export interface Doing {
  /** Infinitive, e.g. `read the manifest`. */
  readonly action: string;
  /** Where: host, or host and repository. */
  readonly where: string;
  /** It is a stranger's, such as a base: nobody here can mend its registry. */
  readonly isStrange?: boolean;
}

/** The fault for a refusal that has no special meaning. */
export function refused(doing: Doing, refusal: Refusal): RegistryFault {
  const { status, text } = refusal;
  const said = text === "" ? `status ${status}` : `status ${status}, ${text}`;
  return new RegistryFault(
    `Cannot ${doing.action}: the registry answers ${said}`,
    { ...refusal, unanswered: refusal.temporary },
    { where: doing.where, next: nextFor(doing, refusal) },
  );
}

/**
 * The fault for a refusal by another host that the registry has sent us to, such as its storage. It
 * says nothing of credentials, which that host was not given.
 *
 * @param isSigned the address may have expired: the registry names another one.
 */
export function refusedElsewhere(
  doing: Doing,
  host: string,
  refusal: Refusal,
  isSigned: boolean,
): RegistryFault {
  const { status, text } = refusal;
  const said = text === "" ? `status ${status}` : `status ${status}, ${text}`;
  const isGone = status === 404 || status === 410;
  const temporary = refusal.temporary || (isSigned && !isGone);
  const denied = !temporary && (status === 401 || status === 403);
  return new RegistryFault(
    `Cannot ${doing.action}: ${host}, where the registry sends us, answers ${said}`,
    { ...refusal, temporary, denied, elsewhere: true },
    {
      where: doing.where,
      next: doing.isStrange
        ? nextForStrange({ ...refusal, temporary })
        : `try again; if it stays so, look at the registry's storage and what stands before ${host}`,
    },
  );
}

/** Codes for a part of an image that is gone. */
const LOST = ["BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"];

function nextFor(doing: Doing, refusal: Refusal): string {
  const { status, text, codes, throttled, temporary } = refusal;
  if (throttled) {
    return "wait until the registry's rate limit is over, use fewer --jobs, or log in: limits of accounts are higher";
  }
  if (doing.isStrange) return nextForStrange(refusal);
  if (FULL.test(text)) return "free space at the registry";
  if (codes.some((code) => LOST.includes(code))) return "push the image again with --force";
  if (codes.includes("NAME_UNKNOWN")) return "create the repository, or correct its name";
  if (status === 404) return "check the registry's host and the repository's name";
  if (status === 405) return "check that the registry accepts pushes";
  if (status === 413) return "raise the size limit of the registry or of the proxy in front of it";
  if (temporary) return "try again; if it stays so, look at the registry's own log";
  return "look at the registry's own log";
}

function nextForStrange({ status, temporary }: Refusal): string {
  if (status === 404) return "correct the reference, or choose another tag or digest";
  if (temporary) return "try again later, or take the image from elsewhere";
  return "correct the reference, or take the image from elsewhere";
}

/** The fault for an exchange that broke. */
export function broken(
  error: unknown,
  { action, where, isStrange = false }: Doing,
  host: string,
  secrets: Secrets,
): RegistryFault {
  const { code = "", message } = error as { code?: string; message: string };
  const temporary = TEMPORARY_CODES.has(code) || /unexpected (eof|end of file)/i.test(message);
  const options = { where, cause: undefined };
  const cannotReach = (why: string, next: string, remedy?: string) => {
    const unreachable = { why, ...(remedy === undefined ? {} : { remedy }) };
    const facts = { temporary, unanswered: true, unreachable };
    return new RegistryFault(`Cannot reach ${host}: ${why}`, facts, { ...options, next });
  };
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return cannotReach(
        "its name is not known",
        isStrange
          ? "check the network and DNS, or correct the reference"
          : "correct the registry's host, or check DNS",
      );
    case "ECONNREFUSED":
      return cannotReach(
        "nothing listens there",
        isStrange
          ? "check the network, or correct the reference"
          : "start the registry, or correct its host",
      );
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return cannotReach("there is no route to it", "check the network and HTTPS_PROXY");
    case "ERR_SSL_WRONG_VERSION_NUMBER": {
      const remedy = "declare it with `registry(…, { insecure: true })` if plain http is meant";
      return cannotReach("it does not speak TLS", remedy, remedy);
    }
  }
  if (/certificate|CERT_|UNABLE_TO_|SELF_SIGNED/.test(`${code} ${message}`)) {
    const why = `its certificate is not trusted (${secrets.clean(message)})`;
    const remedy =
      `put its authority into /etc/docker/certs.d/${host}/ca.crt or NODE_EXTRA_CA_CERTS`;
    return cannotReach(why, remedy, remedy);
  }
  const why = code === "ECONNRESET" ? "the connection broke" : secrets.clean(message);
  const silent = error instanceof TimeoutError && error.isSilence;
  return new RegistryFault(
    `Cannot ${action}: ${why}`,
    { temporary, silent, unanswered: true, unreachable: { why } },
    { ...options, next: "check the network and HTTPS_PROXY, then try again" },
  );
}
