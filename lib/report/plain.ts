/** Lines for logs and pipes: no commands, nothing folded. */

import type { Dialect } from "./lines.ts";

/** Leaves lines as they are. */
export class PlainDialect implements Dialect {
  /** Nothing is taken for a command. */
  quote(lines: readonly string[]): readonly string[] {
    return lines;
  }
}
