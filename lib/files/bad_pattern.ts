/** What is said of a pattern that cannot be read. */

import { usageFault } from "../model/errors.ts";

/** The fault of a pattern. */
export function badPattern(
  pattern: string,
  cause?: unknown,
  next = "close every bracket, or put a backslash before one that is meant as it is",
): Error {
  return usageFault(`Cannot read the pattern "${pattern}"`, {
    next,
    ...(cause === undefined ? {} : { cause }),
  });
}
