/**
 * Extended attributes of files as archives write them, in PAX records: `SCHILY.xattr.NAME` with the
 * value's own bytes, as Go and GNU tar do, or libarchive's `LIBARCHIVE.xattr.NAME` in Base64.
 *
 * @see https://www.kernel.org/doc/html/latest/filesystems/ext4/attributes.html
 */

import type { ExtendedAttribute } from "../model/image.ts";

const PLAIN = "SCHILY.xattr.";
const BASE64 = "LIBARCHIVE.xattr.";

/**
 * Attributes that belong to the machine that wrote them: labels of security modules, hashes bound to
 * an inode, and what overlayfs notes for itself.
 */
const OF_THE_MACHINE = /^(?:security\.(?:selinux|ima|evm)|(?:trusted|user)\.overlay\.[^]*)$/;

/** Says whether an attribute has no meaning elsewhere, so that it is not carried into a layer. */
export function isMachineAttribute(name: string): boolean {
  return OF_THE_MACHINE.test(name);
}

/** The attributes of a file that an image may carry; undefined where there are none. */
export function portableAttributes(
  attributes: readonly ExtendedAttribute[] | undefined,
): readonly ExtendedAttribute[] | undefined {
  const kept = attributes?.filter(([name]) => !isMachineAttribute(name));
  return kept === undefined || kept.length === 0 ? undefined : kept;
}

/** Name of the attribute that a PAX record holds; undefined for other records. */
export function attributeOfRecord(key: string): string | undefined {
  return key.startsWith(PLAIN) ? key.slice(PLAIN.length) : undefined;
}

/** The attributes that the PAX records of one entry hold, sorted by name. */
export function attributesOfRecords(
  records: ReadonlyMap<string, Uint8Array>,
): readonly ExtendedAttribute[] | undefined {
  const found = new Map<string, string>();
  for (const [key, value] of records) {
    if (key.startsWith(BASE64)) {
      const name = percentDecoded(key.slice(BASE64.length));
      if (!found.has(name)) found.set(name, fromUnpadded(value));
    }
    const name = attributeOfRecord(key);
    if (name !== undefined) found.set(name, value.toBase64());
  }
  if (found.size === 0) return undefined;
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The PAX records of attributes. */
export function recordsOfAttributes(
  attributes: readonly ExtendedAttribute[],
): [key: string, value: Uint8Array][] {
  return attributes.map(([name, value]) => [PLAIN + name, Uint8Array.fromBase64(value)]);
}

/** libarchive leaves the padding out. @throws {SyntaxError} where it is no Base64. */
function fromUnpadded(value: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(value).replace(/=+$/, "");
  return Uint8Array.fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "=")).toBase64();
}

function percentDecoded(name: string): string {
  return name.replace(
    /%([0-9a-fA-F]{2})/g,
    (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
