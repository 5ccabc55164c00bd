/**
 * As much of Protocol Buffers' wire format as a test server needs: varints and bytes.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */

/** Number of a field → its values: numbers of varints, or bytes. */
export type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

/** Reads a message. */
export function readFields(message: Uint8Array): Fields {
  const fields = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const isBytes = (tag & 7) === 2;
    const number = varint();
    const value = isBytes ? message.subarray(at, at += number) : number;
    fields.set(tag >> 3, [...fields.get(tag >> 3) ?? [], value]);
  }
  return fields;
}

/** The bytes of a field; none where it is not there. */
export function bytesOf(fields: Fields, field: number): Uint8Array {
  const value = fields.get(field)?.at(-1);
  return value instanceof Uint8Array ? value : new Uint8Array();
}

/** The text of a field. */
export function textOf(fields: Fields, field: number): string {
  return new TextDecoder().decode(bytesOf(fields, field));
}

/** Writes a message: number of a field and its value, in order. */
export function message(...fields: readonly (readonly [number, number | Uint8Array])[]) {
  return concat(
    fields.flatMap(([field, value]) =>
      typeof value === "number"
        ? [varintOf(field * 8), varintOf(value)]
        : [varintOf(field * 8 + 2), varintOf(value.length), value]
    ),
  );
}

/** Several pieces as one. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push(rest % 128 + 0x80);
  return new Uint8Array([...bytes, rest]);
}
