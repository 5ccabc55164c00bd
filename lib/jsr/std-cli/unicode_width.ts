/** Stand-in for `@std/cli/unicode-width`, over the npm package get-east-asian-width. */

import { eastAsianWidth } from "get-east-asian-width";

/** Marks, format characters, controls, and Hangul vowels that join the letter before them. */
const ZERO = /^(?!\u00ad)[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff]$/u;

/** Columns that a text takes in a terminal: the sum of its code points' widths. */
export function unicodeWidth(text: string): number {
  let width = 0;
  for (const char of text) width += ZERO.test(char) ? 0 : eastAsianWidth(char.codePointAt(0)!);
  return width;
}
