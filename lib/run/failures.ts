/** What a failure means for the node, and for the rest of the run. */

import { asFault, Fault, type FaultOptions } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { Targets } from "../plan/targets.ts";
import type { Session } from "./session.ts";
import type { Settled, SettledImage } from "./settled.ts";
import { UnreachableBase } from "./unreachable_base.ts";

const UNAVAILABLE = { kind: "unavailable" } as const;

/** A node that was not tried because of something else. */
export class Skipped extends Fault {
  /** The node it all began with; undefined where the whole run was stopped. */
  readonly first: Settled | undefined;

  constructor(message: string, options: FaultOptions = {}, first?: Settled) {
    super(message, options);
    this.first = first;
  }
}

/** Refuses to go on after a need that is not there. */
export function refuseAfter(blocker: Settled | undefined): void {
  if (blocker === undefined) return;
  const { fault } = blocker;
  // What ended the blocker ends this too.
  if (fault instanceof Skipped && fault.first === undefined) throw fault;
  const first = fault instanceof Skipped ? fault.first ?? blocker : blocker;
  if (first.status !== "unavailable") {
    throw new Skipped(`Not built, since "${first.node.id}" failed`, {}, first);
  }
  throw new Skipped(`It needs "${first.node.id}", which is unavailable`, UNAVAILABLE, first);
}

/** Refuses to start anything after an interrupt, or after a failure without `--keep-going`. */
export function refuseWhenStopped(session: Session): void {
  if (session.signal.aborted) throw stoppedBy(session.signal.reason);
}

/** What becomes of a node that was not begun, or not brought to its end. */
function stoppedBy(reason: unknown): Skipped {
  if (!(reason instanceof Fault) || reason.kind === "interrupted") {
    return new Skipped("Not built: interrupted", { kind: "interrupted" });
  }
  return new Skipped("Not built, since something else failed; --keep-going would go on");
}

/** The status a failure gives a node; without `--keep-going` it also ends the run. */
export function failureOf(
  session: Session,
  error: unknown,
  id: Subject,
): Required<Pick<SettledImage, "status" | "fault">> {
  const fault = faultAbout(error, id);
  const { keepGoing, signal, targets } = session;
  if (fault instanceof Skipped) {
    return { status: fault.kind === "unavailable" ? "unavailable" : "skipped", fault };
  }
  if (signal.aborted && (fault.kind === "interrupted" || fault === signal.reason)) {
    return { status: "skipped", fault: stoppedBy(signal.reason) };
  }
  if (!keepGoing) session.stop(fault);
  if (isUnavailable(fault, targets)) {
    return { status: "unavailable", fault: fault.as("unavailable") };
  }
  return { status: "failed", fault };
}

/**
 * Whether a fault makes an image unavailable: where nothing was named, also because a host cannot be
 * reached that it needs something from.
 */
export function isUnavailable({ kind }: Fault, { strict }: Targets): boolean {
  return kind === "unavailable" || (kind === "unreachable" && !strict);
}

/** Anything thrown as a fault that says what it means for this node. */
export function faultAbout(error: unknown, id: Subject): Fault {
  if (error instanceof UnreachableBase) return error.neededBy(id);
  return asFault(error, { where: id });
}
