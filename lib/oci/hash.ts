/**
 * sha256 of what is small and at hand, by the engine's own crypto: nothing is imported for it.
 * For streams there is `sha256.ts`.
 */

import { canonicalJson } from "./json.ts";
import type { Json } from "../model/json.ts";

const encoder = new TextEncoder();

/** sha256 of bytes, as 64 hex digits. */
export async function hashBytes(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** sha256 of a text's UTF-8 bytes, as 64 hex digits. */
export function hashText(text: string): Promise<string> {
  return hashBytes(encoder.encode(text));
}

/** sha256 of a value's canonical JSON, as 64 hex digits. */
export function hashJson(value: Json): Promise<string> {
  return hashText(canonicalJson(value));
}
