/** The errors people see: each says what, where, and what to do next. */

import { refusalOf } from "./os_errors.ts";

/** What a fault means for the exit status. */
export type FaultKind =
  /** Something was tried and failed: exit 1. */
  | "failed"
  /** Wrong usage or a fault in images.ts: exit 2. */
  | "usage"
  /** A required tool is missing: exit 3. */
  | "unavailable"
  /** A host that an input comes from cannot be reached: exit 1, `unavailable` if nothing was named. */
  | "unreachable"
  /** Interrupted by a signal: exit 130. */
  | "interrupted";

/** A place in a text file, counted from 1. */
export interface Place {
  /** Path as it should be shown. */
  readonly file: string;
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
}

/** What a {@link Fault} can say besides its message. */
export interface FaultOptions {
  /** Meaning for the exit status. @default "failed" */
  readonly kind?: FaultKind;
  /** What it is about where no line can be given: an image, a registry, a path. */
  readonly where?: string;
  /** The line it is about. */
  readonly place?: Place;
  /** The text around `place`, ready to print. */
  readonly excerpt?: string;
  /** What to do next, as an imperative without a final period. */
  readonly next?: string;
  /** Path of a log that holds the whole story. */
  readonly log?: string;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

const EXIT: Record<FaultKind, number> = {
  failed: 1,
  usage: 2,
  unavailable: 3,
  unreachable: 1,
  interrupted: 130,
};

/** An error that was foreseen: it names the thing, the place and the remedy. */
export class Fault extends Error {
  /** Tells a fault from other errors. */
  override readonly name = "Fault";
  /** Meaning for the exit status. */
  readonly kind: FaultKind;
  /** What it is about where no line can be given. */
  readonly where: string | undefined;
  /** The line it is about. */
  readonly place: Place | undefined;
  /** The text around `place`, ready to print. */
  readonly excerpt: string | undefined;
  /** What to do next. */
  readonly next: string | undefined;
  /** Path of a log that holds the whole story. */
  readonly log: string | undefined;

  /** Makes a fault; `message` says what happened, without a final period. */
  constructor(message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = options.kind ?? "failed";
    this.where = options.where;
    this.place = options.place;
    this.excerpt = options.excerpt;
    this.next = options.next;
    this.log = options.log;
  }

  /** The same fault with another meaning for the exit status. */
  as(kind: FaultKind): Fault {
    const { message, where, place, excerpt, next, log } = this;
    return new Fault(message, {
      kind,
      ...(where === undefined ? {} : { where }),
      ...(place === undefined ? {} : { place }),
      ...(excerpt === undefined ? {} : { excerpt }),
      ...(next === undefined ? {} : { next }),
      ...(log === undefined ? {} : { log }),
      cause: this,
    });
  }

  /** The same fault, of its own class still, at a place and with other advice. */
  located({ place, excerpt, next }: Pick<FaultOptions, "place" | "excerpt" | "next">): this {
    const copy = Object.create(
      Object.getPrototypeOf(this),
      Object.getOwnPropertyDescriptors(this),
    ) as this;
    return Object.assign(copy, {
      place: this.place ?? place,
      excerpt: this.excerpt ?? excerpt,
      next: next || this.next,
    });
  }

  /** The exit status this fault asks for. */
  get exitStatus(): number {
    return EXIT[this.kind];
  }
}

/** A fault of images.ts or of the command line: exit 2. */
export function usageFault(message: string, options: Omit<FaultOptions, "kind"> = {}): Fault {
  return new Fault(message, { ...options, kind: "usage" });
}

/** A tool that must be there is not: exit 3. */
export function unavailableFault(message: string, options: Omit<FaultOptions, "kind"> = {}): Fault {
  return new Fault(message, { ...options, kind: "unavailable" });
}

/** Turns anything thrown into a {@link Fault}, keeping the original as its cause. */
export function asFault(error: unknown, options: FaultOptions = {}): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof DOMException && error.name === "AbortError") {
    return new Fault("Interrupted", { ...options, kind: "interrupted", cause: error });
  }
  if (!(error instanceof Error)) return new Fault(String(error), { ...options, cause: error });
  const refusal = refusalOf(error);
  if (refusal === undefined) return new Fault(error.message, { ...options, cause: error });
  const { message, path, next } = refusal;
  const where = options.where ?? path;
  return new Fault(where === path || path === undefined ? message : `${message}: ${path}`, {
    next,
    ...options,
    ...(where === undefined ? {} : { where }),
    cause: error,
  });
}

/** A place as `file:line:column`. */
export function renderPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

/** Renders a fault for people, without colour: message, place, excerpt, remedy, log. */
export function renderFault(fault: Fault): string {
  const place = fault.place && renderPlace(fault.place);
  const head = [place ?? fault.where, fault.message].filter(Boolean).join(": ");
  const lines = [head];
  if (fault.excerpt) lines.push(fault.excerpt);
  if (fault.next) lines.push(`next: ${fault.next}`);
  if (fault.log) lines.push(`log: ${fault.log}`);
  return lines.join("\n");
}
