/** Waiting for a registry's first answer, as long as patience lasts. */

import { Fault } from "../model/errors.ts";

/** How long a registry may take to its first answer before a build goes on without it, in ms. */
const PATIENCE = 1_000;

/** A registry has taken too long to say whether it holds something. */
export class NoAnswerInTime extends Fault {}

/** Settled by an answer, which may be an error; rejected when there was none in time. */
export async function firstAnswer(asking: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new NoAnswerInTime("it does not answer within a second")),
    PATIENCE,
  );
  try {
    await Promise.race([asking.then(() => {}, () => {}), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
