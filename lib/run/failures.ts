/** What a failure means for the node, and for the rest of the run. */

import { asFault, Fault, type FaultOptions } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { Session } from "./session.ts";
import type { Settled, SettledImage } from "./settled.ts";

/** A node that was not tried because of something else. */
export class Skipped extends Fault {
  /** What it all began with, where that is another node. */
  readonly first: Settled | undefined;

  constructor(message: string, options: FaultOptions = {}, first?: Settled) {
    super(message, options);
    this.first = first;
  }
}

/** Refuses to go on after a need that is not there. */
export function refuseAfter(blocker: Settled | undefined): void {
  if (blocker === undefined) return;
  const first = blocker.fault instanceof Skipped ? blocker.fault.first ?? blocker : blocker;
  const what = first.status === "unavailable"
    ? "is unavailable"
    : first.status === "skipped"
    ? "was skipped"
    : "failed";
  throw new Skipped(`Not built, since "${first.node.id}" ${what}`, {}, first);
}

/** Refuses to start anything after an interrupt, or after a failure without `--keep-going`. */
export function refuseWhenStopped(session: Session): void {
  if (!session.signal.aborted) return;
  const { reason } = session.signal;
  if (!(reason instanceof Fault) || reason.kind === "interrupted") {
    throw new Skipped("Not built: interrupted", { kind: "interrupted" });
  }
  throw new Skipped("Not built, since something else failed", {
    next: "use --keep-going to build what does not depend on it",
  });
}

/** The status a failure gives a node; without `--keep-going` it also ends the run. */
export function failureOf(
  session: Session,
  error: unknown,
  id: Subject,
): Required<Pick<SettledImage, "status" | "fault">> {
  const fault = asFault(error, { where: id });
  const { settings: { keepGoing }, targets, signal } = session;
  if (fault instanceof Skipped) return { status: "skipped", fault };
  if (signal.aborted && (fault.kind === "interrupted" || fault === signal.reason)) {
    return {
      status: "skipped",
      fault: new Skipped("Not built: ended", { kind: fault.kind, where: id }),
    };
  }
  if (fault.kind === "unavailable") {
    if (targets.strict && !keepGoing) session.stop(fault);
    return { status: "unavailable", fault };
  }
  if (!keepGoing) session.stop(fault);
  return { status: "failed", fault };
}
