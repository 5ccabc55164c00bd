/** Archives put together block by block, as tools write them that cannot be run here. */

const encoder = new TextEncoder();

/** Fields of a header; numbers are written in octal, bytes as they are. */
export interface RawHeader {
  readonly name: string | Uint8Array;
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number | Uint8Array;
  readonly gid?: number | Uint8Array;
  readonly size?: number | Uint8Array;
  readonly mtime?: number | Uint8Array;
  readonly link?: string | Uint8Array;
  /** `ustar` (POSIX), `gnu`, or none. */
  readonly format?: "ustar" | "gnu" | "v7";
  /** Bytes at places of their own, by offset. */
  readonly more?: Readonly<Record<number, Uint8Array>>;
  /** The checksum adds bytes up as signed ones. */
  readonly signed?: boolean;
}

const MAGIC = { ustar: "ustar\x0000", gnu: "ustar  \0", v7: "" } as const;

/** One header block. */
export function rawHeader(header: RawHeader): Uint8Array {
  const block = new Uint8Array(512);
  const put = (offset: number, value: string | Uint8Array) =>
    block.set(typeof value === "string" ? encoder.encode(value) : value, offset);
  const number = (offset: number, length: number, value: number | Uint8Array = 0) =>
    put(
      offset,
      typeof value === "number" ? `${value.toString(8).padStart(length - 1, "0")}\0` : value,
    );
  put(0, header.name);
  number(100, 8, header.mode ?? 0o644);
  number(108, 8, header.uid);
  number(116, 8, header.gid);
  number(124, 12, header.size);
  number(136, 12, header.mtime);
  put(156, header.type ?? "0");
  put(157, header.link ?? "");
  put(257, MAGIC[header.format ?? "ustar"]);
  for (const [offset, bytes] of Object.entries(header.more ?? {})) put(Number(offset), bytes);
  block.fill(0x20, 148, 156);
  const sum = block.reduce(
    (total, byte) => total + (header.signed && byte >= 0x80 ? byte - 256 : byte),
    0,
  );
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** A header and its content, padded. */
export function rawEntry(header: RawHeader, content: string | Uint8Array = ""): Uint8Array {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return joined(rawHeader({ size: bytes.length, ...header }), paddedTo512(bytes));
}

/** PAX records for the next entry, or with type `g` for all. */
export function rawPax(
  records: readonly (readonly [key: string, value: string | Uint8Array])[],
  type = "x",
): Uint8Array {
  const parts = records.map(([key, value]) => {
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    const rest = encoder.encode(` ${key}=`).length + bytes.length + 1;
    let length = rest + 1;
    while (String(length).length + rest !== length) length++;
    return joined(encoder.encode(`${length} ${key}=`), bytes, encoder.encode("\n"));
  });
  return rawEntry({ name: "PaxHeaders/x", type }, joined(...parts));
}

/** An archive of these parts, with its end. */
export function rawTar(...parts: readonly Uint8Array[]): Uint8Array {
  return joined(...parts, new Uint8Array(1024));
}

/** A number in GNU's binary form, of a field of this length. */
export function base256(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = BigInt.asUintN(length * 8 - 1, value);
  for (let at = length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0]! |= 0x80;
  return bytes;
}

/** Bytes one after the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function paddedTo512(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
  all.set(bytes);
  return all;
}
