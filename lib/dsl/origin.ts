/** Where in images.ts something was written: captured cheaply, read only when a fault must point. */

import type { Place } from "../model/errors.ts";

/** A captured call site. */
export interface Origin {
  /** Where the call is; undefined where the stack does not tell. */
  readonly place: Place | undefined;
}

/** Our own modules, whose frames are not the caller's. */
const OWN = pathOf(new URL("../..", import.meta.url).href);
const OWN_ROOMS = [`${OWN}lib/`, `${OWN}plugins/`, `${OWN}tasks/`];

/** Says whether a file is one of our own modules. */
export function isOwn(file: string): boolean {
  return OWN_ROOMS.some((room) => file.startsWith(room));
}

/** Captures the call site of `constructor`. The stack is rendered when it is asked for. */
// deno-lint-ignore ban-types
export function originOf(constructor: Function): Origin {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, constructor);
  return {
    get place() {
      return firstPlace(holder.stack ?? "");
    },
  };
}

/** The first place of a stack that is not in our own modules. */
export function firstPlace(stack: string): Place | undefined {
  for (const line of stack.split("\n")) {
    const match = /(?:\(|at (?:async )?|^)(file:\/\/.+|https?:\S+?):(\d+):(\d+)\)?$/.exec(
      line.trim(),
    );
    if (match === null) continue;
    const [, address = "", row, column] = match;
    // Stacks name files by their plain paths.
    const file = address.replace(/^file:\/\//, "");
    if (isOwn(file)) continue;
    return { file, line: Number(row), column: Number(column) };
  }
  return undefined;
}

/** The URL of an absolute path, which may hold any character. */
export function urlOf(path: string): string {
  return `file://${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}`;
}

/** A module's path as people write it; query strings are only for the module cache. */
export function pathOf(url: string): string {
  if (!url.startsWith("file:")) return url;
  return decodeURIComponent(new URL(url).pathname);
}
