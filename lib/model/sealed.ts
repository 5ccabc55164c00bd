/**
 * JSON that tells whether it is as it was written. What is kept between runs is read without asking
 * anybody else whether it is right, so a byte that a disk or an editor changed must be seen.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const SEAL_LENGTH = sealOf(0).length;

/** An object that has members, as JSON with a sum of it. */
export function sealed(value: object): Uint8Array {
  const bytes = encoder.encode(`${JSON.stringify(value).slice(0, -1)}${sealOf(0)}`);
  const end = bytes.length - SEAL_LENGTH;
  encoder.encodeInto(sealOf(sumOf(bytes, end)), bytes.subarray(end));
  return bytes;
}

/** What was sealed; undefined where it is not as it was written. */
export function unsealed<T extends object>(bytes: Uint8Array): T | undefined {
  const end = bytes.length - SEAL_LENGTH;
  if (end <= 0) return undefined;
  const text = decoder.decode(bytes);
  if (!text.endsWith(sealOf(sumOf(bytes, end)))) return undefined;
  const value = JSON.parse(text) as T & { sum?: string };
  delete value.sum;
  return value;
}

/** The last member: a sum of all that stands before it. */
function sealOf(sum: number): string {
  return `,"sum":"${sum.toString(16).padStart(8, "0")}"}`;
}

/**
 * FNV-1a, of four bytes in a step and then of those that are left: another value wherever one step
 * is another.
 *
 * @param bytes begin at a multiple of four in their buffer.
 * @param sum of a multiple of four bytes before these. @default that of none
 * @see RFC 9923
 */
export function sumOf(bytes: Uint8Array, end: number = bytes.length, sum = 0x811c9dc5): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, end >> 2);
  for (let at = 0; at < words.length; at++) sum = Math.imul(sum ^ words[at]!, 0x01000193);
  for (let at = end & ~3; at < end; at++) sum = Math.imul(sum ^ bytes[at]!, 0x01000193);
  return sum >>> 0;
}
