/**
 * Names of files as text. On Linux a name is bytes, and old archives hold names in Latin-1 and the
 * like: bytes that are no UTF-8 stand in the text as lone surrogates, U+DC80 for 0x80 up to U+DCFF
 * for 0xff, and become the same bytes again.
 *
 * @see https://peps.python.org/pep-0383/
 */

const ESCAPE = 0xdc00;

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A name's bytes as text. */
export function decodePath(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeMixed(bytes);
  }
}

/** The bytes of a name that {@link decodePath} gave. */
export function encodePath(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: number[] = [];
  let plain = "";
  const flush = () => {
    for (const byte of encoder.encode(plain)) bytes.push(byte);
    plain = "";
  };
  for (const character of text) {
    const unit = character.charCodeAt(0);
    if (character.length > 1 || unit < ESCAPE + 0x80 || unit > ESCAPE + 0xff) plain += character;
    else {
      flush();
      bytes.push(unit - ESCAPE);
    }
  }
  flush();
  return Uint8Array.from(bytes);
}

function decodeMixed(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) text += String.fromCharCode(ESCAPE + bytes[at]!);
    else text += strict.decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return text;
}

/** Length of the UTF-8 sequence at a place; 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.length) return 0;
  for (let next = 1; next < length; next++) if ((bytes[at + next]! & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1]!;
  // Overlong forms, surrogates, and what is beyond U+10FFFF.
  if (lead === 0xe0 && second < 0xa0 || lead === 0xed && second > 0x9f) return 0;
  if (lead === 0xf0 && second < 0x90 || lead === 0xf4 && second > 0x8f) return 0;
  return length;
}
