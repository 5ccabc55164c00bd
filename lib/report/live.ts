/** The part of a terminal that is redrawn: what is going on, below the lines that stay. */

import type { Board } from "./board.ts";
import type { Layout } from "./finished.ts";
import { frame, MARK, nameColumns, TELLING } from "./frame.ts";
import type { Palette } from "./palette.ts";
import type { Output } from "./reporter.ts";
import { Screen } from "./screen.ts";
import { fit, wrap } from "./text.ts";

/** Gives the lines that stay, made for a layout; each is given once. */
export type TakeLines = (layout: Layout) => readonly string[];

/** Draws a board again and again. */
export class Live {
  readonly #board: Board;
  readonly #palette: Palette;
  readonly #screen: Screen;
  #frames = 0;

  constructor(output: Output, board: Board, palette: Palette) {
    this.#board = board;
    this.#palette = palette;
    this.#screen = new Screen(output);
  }

  /** Draws the state at a time, in milliseconds since the run began. */
  draw(now: number, take: TakeLines): void {
    const size = this.#screen.size;
    const lines = frame(this.#board, { ...size, now, tick: this.#frames++ }, this.#palette);
    this.#screen.draw(take(this.#layout(size.columns)), lines);
  }

  /** Removes what was redrawn, and gives the terminal back. */
  close(take: TakeLines): void {
    this.#screen.draw(take(this.#layout(this.#screen.size.columns)), []);
    this.#screen.close();
  }

  #layout(columns: number): Layout {
    const nameWidth = nameColumns(this.#board, columns);
    return {
      palette: this.#palette,
      nameWidth,
      fit: (text, taken) => {
        const room = columns - 1 - MARK - taken;
        return room < TELLING ? "" : fit(text, room);
      },
      wrap: (text) => wrap(text, columns),
    };
  }
}
