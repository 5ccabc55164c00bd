/** Faults that several steps of a run give. */

import { Fault } from "../model/errors.ts";
import { exists } from "../store/state.ts";

/** The most files named in one message. */
const NAMED = 3;

/** Inputs were edited while something was made from them: nobody knows which state went in. */
export function faultOfChangedInputs(subject: string, paths: readonly string[] = []): Fault {
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : "";
  const named = paths.length === 0 ? "" : `: ${paths.slice(0, NAMED).join(", ")}${more}`;
  return new Fault(`Inputs changed while it was built${named}`, {
    where: subject,
    next: "run the command again; nothing was recorded",
  });
}

/** The same fault with the log named, if one was written. */
export function withLogOf(fault: Fault, log: string): Fault {
  if (fault.log !== undefined || fault.kind === "interrupted" || !exists(log)) return fault;
  return new Fault(fault.message, {
    kind: fault.kind,
    ...(fault.where === undefined ? {} : { where: fault.where }),
    ...(fault.place === undefined ? {} : { place: fault.place }),
    ...(fault.excerpt === undefined ? {} : { excerpt: fault.excerpt }),
    ...(fault.next === undefined ? {} : { next: fault.next }),
    log,
    cause: fault.cause ?? fault,
  });
}
