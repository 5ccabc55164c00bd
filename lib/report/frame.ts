/** One frame: a line for each thing that is going on, and one for the whole run. */

import type { Activity, Board } from "./board.ts";
import { TIME, WORD } from "./finished.ts";
import type { Palette } from "./palette.ts";
import { columnsOf, fit, pad } from "./text.ts";
import { duration, reasonText, shortName, transferText } from "./words.ts";

/** When and for what a frame is made. */
export interface Moment {
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds since the run began. */
  readonly now: number;
  /** How many frames there were before. */
  readonly tick: number;
}

/** Columns of a mark and the space behind it. */
export const MARK = 2;

/** Columns that are kept for details where names are long. */
const DETAIL = 24;

/** Columns that names get at the least. */
const LEAST_NAME = 12;

/** Builds that take so many milliseconds are worth being compared with the last time. */
const LONG = 1_000;

/** Columns behind the cursor for what people type: `^C`, and the last column stays free. */
const TYPED = 4;

/** The least columns in which anything can be told. */
export const TELLING = 8;

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** The lines of a frame. None reaches the last column, so none wraps. */
export function frame(board: Board, moment: Moment, palette: Palette): string[] {
  const { rows, tick } = moment;
  const { running } = board;
  // One row is the summary's; one is left for what people type.
  const room = Math.max(1, rows - 2);
  const shown = running.length <= room ? running : running.slice(0, room - 1);
  const mark = SPINNER[tick % SPINNER.length]!;
  const lines = shown.map((each) =>
    `${palette.live(mark)} ${activityLine(each, board, moment, palette)}`
  );
  if (shown.length < running.length) {
    lines.push(palette.dim(`  and ${running.length - shown.length} more`));
  }
  return [...lines, summaryLine(board, moment, palette)];
}

/** Columns for names: all of the longest, as long as details still have a place. */
export function nameColumns(board: Board, columns: number): number {
  const most = columns - MARK - WORD - TIME - 6 - DETAIL;
  return Math.min(board.nameWidth, Math.max(LEAST_NAME, most));
}

function activityLine(
  activity: Activity,
  board: Board,
  { columns, now }: Moment,
  palette: Palette,
): string {
  const { id, phase, transfer, since } = activity;
  const nameWidth = nameColumns(board, columns);
  const name = shortName(id, nameWidth).padEnd(nameWidth);
  const word = pad(fit(phase, WORD), WORD);
  const time = duration(now - since).padStart(TIME);
  // Two spaces between the columns; the last column stays free.
  const room = columns - 1 - MARK - nameWidth - WORD - TIME - 6;
  const told = room < TELLING ? "" : fit(detailText(activity, room), room);
  const detail = transfer === undefined ? palette.dim(told) : told;
  return `${palette.name(name)}  ${word}  ${time}  ${detail}`.trimEnd();
}

/** What is most telling of what has a place: a transfer, how long it took before, why. */
function detailText(
  { phase, transfer, expected = 0, reasons, detail = "" }: Activity,
  room: number,
): string {
  const parts = [
    transfer === undefined
      ? ""
      : `${transfer.phase === phase ? "" : `${transfer.phase} `}${transferText(transfer)}`,
    detail,
    reasonText(reasons),
    expected < LONG ? "" : `${duration(expected)} last time`,
  ].filter((part) => part !== "");
  for (let count = parts.length; count > 1; count--) {
    const text = parts.slice(0, count).join(", ");
    if (columnsOf(text) <= room) return text;
  }
  return parts[0] ?? "";
}

/** `[3/8] 2 running, 3 waiting, 1 failed  14 s`. */
function summaryLine(board: Board, { columns, now }: Moment, palette: Palette): string {
  const { running, waiting, failed, settled, total } = board;
  const counts = [
    `${running.length} running`,
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
  ].join(", ");
  const failures = failed === 0 ? "" : `${failed} failed, `;
  const start = `[${settled}/${total}]`;
  const text = fit(`${failures}${counts}, ${duration(now)}`, columns - TYPED - start.length);
  const painted = failures === "" || !text.startsWith(failures)
    ? text
    : `${palette.error(failures.slice(0, -2))}${text.slice(failures.length - 2)}`;
  return `${palette.strong(start)} ${painted}`;
}
