/** What became of a node, as the line that stays. */

import type { RunEvent } from "../model/events.ts";
import type { BuildStatus } from "../model/result.ts";
import { faultMessage } from "./faults.ts";
import type { Palette } from "./palette.ts";
import { duration, reasonText } from "./words.ts";

/** Columns of the word that says what is going on, or what became of it. */
export const WORD = 11;

/** Columns of a duration. */
export const TIME = 7;

/** How lines are laid out. */
export interface Layout {
  readonly palette: Palette;
  /** Columns of a name; a longer one takes what it needs. */
  readonly nameWidth: number;
  /** Shortens what stands behind so many columns; undefined where it may be as long as it is. */
  readonly fit?: (text: string, taken: number) => string;
  /** Breaks a text between words; undefined where a line may be as long as it is. */
  readonly wrap?: (text: string) => readonly string[];
}

/** A finished node's line: name, status, how long it took, why or what is wrong. */
export function finishedLine(
  { id, at, result, fault }: RunEvent & { readonly kind: "finished" },
  since: number | undefined,
  { palette, nameWidth, fit = (text) => text }: Layout,
): string {
  const { status = "cached" } = result;
  const name = id.padEnd(nameWidth);
  const word = palette.status(status) + " ".repeat(Math.max(0, WORD - status.length));
  const time = duration(since === undefined ? result.ms : at - since).padStart(TIME);
  const taken = name.length + WORD + time.length + 6;
  const why = fault === undefined
    ? fit(reasonText(result.reasons), taken)
    : faultMessage(fault, id);
  return `${palette.name(name)}  ${word}  ${time}  ${why}`.trimEnd();
}

/** Whether a node's line is worth its place: what was up to date or not tried is only counted. */
export function isWorthALine(status: BuildStatus | undefined, verbose: boolean): boolean {
  if (status === "built" || status === "remote" || status === "failed") return true;
  return verbose && status === "cached";
}
