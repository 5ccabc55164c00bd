/**
 * File names are bytes. Here they are strings in which a byte that is not part of valid UTF-8 stands
 * as a lone surrogate U+DC80..U+DCFF, so that nothing is lost and regular expressions see one
 * character for it, as Go's do.
 */

const ENCODER = new TextEncoder();
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LONE_SURROGATE = /[\ud800-\udfff]/u;
const SURROGATE = /[\ud800-\udfff]/;

/** Says whether a path has bytes that are no UTF-8: no function that takes a string can open it. */
export function isRaw(path: string): boolean {
  return LONE_SURROGATE.test(path);
}

/** A path's bytes. */
export function bytesOf(path: string): Uint8Array {
  if (!isRaw(path)) return ENCODER.encode(path);
  const bytes: number[] = [];
  for (const character of path) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...ENCODER.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** The string that stands for these bytes. */
export function pathOf(bytes: Uint8Array): string {
  const whole = decode(bytes);
  if (whole !== undefined) return whole;
  let path = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at]!);
    const character = length === 0 ? undefined : decode(bytes.subarray(at, at + length));
    path += character ?? String.fromCharCode(0xdc00 + bytes[at]!);
    at += character === undefined ? 1 : length;
  }
  return path;
}

/** Orders names by their bytes. */
export function compareBytes(a: string, b: string): number {
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  const [x, y] = [bytesOf(a), bytesOf(b)];
  const shared = Math.min(x.length, y.length);
  for (let at = 0; at < shared; at++) {
    if (x[at] !== y[at]) return x[at]! - y[at]!;
  }
  return x.length - y.length;
}

/** The shortest path that means the same, found without looking at files (Go's `path.Clean`). */
export function clean(path: string): string {
  const rooted = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!rooted) parts.push("..");
  }
  const joined = parts.join("/");
  return rooted ? `/${joined}` : joined || ".";
}

/** A name in a folder whose path is cleaned. */
export function nameBelow(folder: string, name: string): string {
  if (folder === "/") return `/${name}`;
  return folder === "." ? name : `${folder}/${name}`;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}

/** How many bytes the character that starts with this one has; 0 where none starts with it. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}
