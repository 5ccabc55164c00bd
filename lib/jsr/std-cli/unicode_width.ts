/** Stand-in for `@std/cli/unicode-width`, over the npm package string-width. */

import stringWidth from "string-width";

/** Columns that a text takes in a terminal. */
export function unicodeWidth(text: string): number {
  return stringWidth(text);
}
