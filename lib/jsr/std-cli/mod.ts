/** Stand-in for `@std/cli`. */

export { parseArgs, type ParseOptions } from "./parse_args.ts";
export { unicodeWidth } from "./unicode_width.ts";
