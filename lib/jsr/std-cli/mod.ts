/** Stand-in for `@std/cli`. */

export { unicodeWidth } from "./unicode_width.ts";
