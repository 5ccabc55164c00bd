/** Rows of text in columns that line up. */

import { columnsOf, pad } from "./text.ts";

/**
 * Lines up the cells of rows, two spaces apart; the last cell of a row is left as it is.
 *
 * @param rightAligned which columns are.
 */
export function inColumns(
  rows: readonly (readonly string[])[],
  rightAligned: readonly number[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, columnsOf(cell));
    });
  }
  return rows.map((row) =>
    row.map((cell, at) => {
      if (at === row.length - 1) return cell;
      const width = widths[at] ?? 0;
      if (!rightAligned.includes(at)) return pad(cell, width);
      return " ".repeat(Math.max(0, width - columnsOf(cell))) + cell;
    }).join("  ").trimEnd()
  );
}
