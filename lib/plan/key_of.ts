/** From the parts of a key, as canonical JSON, to the key. */

import { hexOf } from "../model/digest.ts";
import { lazy } from "../model/lazy.ts";

const hashing = lazy(() => import("../oci/sha256.ts"));

/**
 * sha256 as 64 hex digits. Keys are made of what has changed, so by now files have been hashed:
 * importing what that took costs nothing, and it answers at once.
 */
export async function keyOf(text: string): Promise<string> {
  const { sha256 } = await hashing();
  return hexOf(sha256(text));
}
