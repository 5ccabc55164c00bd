/** Colours and marks by meaning, so that no reporter knows an escape sequence. */

import type { BuildStatus, PushStatus, Verdict } from "../model/result.ts";

type Word = BuildStatus | Verdict | PushStatus;

/** Paints texts by what they are. */
export interface Palette {
  /** A status or verdict, in its own colour. */
  status(word: Word): string;
  /** One character that stands for a status. */
  mark(word: BuildStatus | undefined): string;
  name(text: string): string;
  notice(text: string): string;
  error(text: string): string;
  /** What is going on. */
  live(text: string): string;
  /** What matters less. */
  dim(text: string): string;
  strong(text: string): string;
}

const RED = 31, GREEN = 32, YELLOW = 33, BLUE = 34, CYAN = 36, BOLD = 1, DIM = 2;

const STATUS: Record<Word, number> = {
  cached: DIM,
  current: DIM,
  remote: CYAN,
  copied: CYAN,
  retagged: CYAN,
  built: GREEN,
  pushed: GREEN,
  build: YELLOW,
  unknown: YELLOW,
  failed: RED,
  skipped: DIM,
  unavailable: YELLOW,
};

const MARKS: Record<BuildStatus, string> = {
  built: "✓",
  remote: "↓",
  cached: "=",
  failed: "✗",
  skipped: "-",
  unavailable: "!",
};

/** The palette with colour, or the one that leaves texts as they are. */
export function paletteFor(color: boolean): Palette {
  const paint = (code: number) => (text: string) =>
    color && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  return {
    status: (word) => paint(STATUS[word])(word),
    mark: (word = "cached") => paint(STATUS[word])(MARKS[word]),
    name: paint(BLUE),
    notice: paint(YELLOW),
    error: paint(RED),
    live: paint(CYAN),
    dim: paint(DIM),
    strong: paint(BOLD),
  };
}
