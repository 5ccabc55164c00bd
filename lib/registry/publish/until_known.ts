/** Writing a manifest until the registry knows all of its parts. */

import { RegistryFault } from "../faults.ts";
import type { Target } from "./target.ts";

/**
 * How often the parts are brought: as they are known, then looked for again, in the end sent whatever
 * the registry says of them.
 */
const ROUNDS = 4;

/**
 * Brings what a manifest names and writes it; again where the registry says that a part is not
 * there: it may have been removed meanwhile, or never have been there.
 */
export async function untilKnown<T>(target: Target, write: () => Promise<T>): Promise<T> {
  for (let round = 1;; round++) {
    try {
      return await write();
    } catch (error) {
      const isLacking = error instanceof RegistryFault && error.facts.lacksPart === true;
      if (!isLacking || round === ROUNDS) throw error;
      target.blobs.forget(target.repository, round + 1 === ROUNDS);
    }
  }
}
