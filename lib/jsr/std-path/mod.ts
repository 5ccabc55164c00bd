/** Stand-in for `@std/path`: Node's own paths under the original's names. */

import { posix } from "node:path";

/** The separator between a path's parts. */
export const SEPARATOR = posix.sep;

/** Joins parts and normalises the result. */
export const join: (...paths: string[]) => string = posix.join;

/** Resolves parts, from right to left, to an absolute path. */
export const resolve: (...paths: string[]) => string = posix.resolve;

/** The path that leads from one path to another. */
export const relative: (from: string, to: string) => string = posix.relative;

/** The folder of a path. */
export const dirname: (path: string) => string = posix.dirname;

/** The last part of a path, without a suffix if it ends in it. */
export const basename: (path: string, suffix?: string) => string = posix.basename;

/** The extension of a path, with its dot. */
export const extname: (path: string) => string = posix.extname;

/** A path without `.`, `..` and double separators. */
export const normalize: (path: string) => string = posix.normalize;

/** Says whether a path begins at the root. */
export const isAbsolute: (path: string) => boolean = posix.isAbsolute;

/** The path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:") throw new TypeError(`URL must be a file URL: received "${protocol}"`);
  return decodeURIComponent(pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
}

/** The `file:` URL of an absolute path. */
export function toFileUrl(path: string): URL {
  if (!isAbsolute(path)) throw new TypeError(`Path must be absolute: received "${path}"`);
  const url = new URL("file:///");
  url.pathname = path.replace(
    /[%\t\n\f\r #?]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return url;
}
