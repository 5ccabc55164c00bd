/** Stand-in for `@std/path`: Node's own paths under the original's names. */

import { posix } from "node:path";

/** Joins parts, of which the first may be a `file:` URL, and normalises the result. */
export function join(path: string | URL, ...paths: string[]): string {
  return posix.join(path instanceof URL ? fromFileUrl(path) : path, ...paths);
}

/** Resolves parts, from right to left, to an absolute path. */
export const resolve: (...paths: string[]) => string = posix.resolve;

/** The path that leads from one path to another. */
export const relative: (from: string, to: string) => string = posix.relative;

/** The path of a `file:` URL. @throws {TypeError} when it is another one. */
export function fromFileUrl(url: string | URL): string {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:") throw new TypeError(`URL must be a file URL: received "${protocol}"`);
  return decodeURIComponent(pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
}
