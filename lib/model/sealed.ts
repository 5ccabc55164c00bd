/**
 * JSON that tells whether it is as it was written. What is kept between runs is read without asking
 * anybody else whether it is right, so a byte that a disk or an editor changed must be seen.
 */

/** The last member: a sum of all that stands before it. */
const SEAL = /^,"sum":"[0-9a-f]{8}"\}$/;

const SEAL_LENGTH = ',"sum":"01234567"}'.length;

/** An object that has members, as JSON with a sum of it. */
export function sealed(value: object): string {
  const text = JSON.stringify(value);
  const end = text.length - 1;
  return `${text.slice(0, end)}${sealOf(text, end)}`;
}

/** What was sealed; undefined where it is not as it was written. */
export function unsealed<T extends object>(text: string): T | undefined {
  const end = text.length - SEAL_LENGTH;
  if (end <= 0) return undefined;
  const seal = text.slice(end);
  if (!SEAL.test(seal) || seal !== sealOf(text, end)) return undefined;
  const value = JSON.parse(text) as T & { sum?: string };
  delete value.sum;
  return value;
}

function sealOf(text: string, end: number): string {
  return `,"sum":"${sumOf(text, end).toString(16).padStart(8, "0")}"}`;
}

/**
 * FNV-1a of the first UTF-16 code units: another value wherever one of them is another.
 *
 * @see RFC 9923
 */
function sumOf(text: string, end: number): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < end; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum >>> 0;
}
