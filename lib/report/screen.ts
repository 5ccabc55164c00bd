/**
 * A terminal whose last lines are redrawn. Each frame is one write, marked as one update for
 * terminals that know how to show it at once; nothing is cleared before it is written over.
 */

import type { Output } from "./reporter.ts";
import { columnsOf } from "./text.ts";

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
/** @see https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036 */
const BEGIN_UPDATE = "\x1b[?2026h";
const END_UPDATE = "\x1b[?2026l";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** The lines of a terminal from where the cursor was. */
export class Screen {
  readonly #output: Output;
  /** Columns of each line that will be drawn over. */
  #drawn: readonly number[] = [];
  #last = "";
  #open = false;
  #stopped = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** The terminal's size. It is asked for each time, so a resize is seen with the next frame. */
  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#output.size();
    return { columns: Math.max(20, columns), rows: Math.max(3, rows) };
  }

  /** Puts lines that stay above the lines that will be drawn over. */
  draw(staying: readonly string[], redrawn: readonly string[]): void {
    if (this.#stopped) return;
    const text = redrawn.join("\n");
    if (staying.length === 0 && text === this.#last && this.#open) return;
    this.#begin();
    const lines = [...staying, ...redrawn].map((line) => `${line}${CLEAR_LINE}\n`);
    this.#output.write(
      [BEGIN_UPDATE, this.#toStart(), ...lines, CLEAR_BELOW, END_UPDATE].join(""),
    );
    this.#drawn = redrawn.map(columnsOf);
    this.#last = text;
  }

  /** Gives the terminal back. What was drawn stays. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#output.write(SHOW_CURSOR);
    globalThis.removeEventListener("unload", this.#restore);
    for (const [signal, handler] of this.#signals) Deno.removeSignalListener(signal, handler);
  }

  #begin(): void {
    if (this.#open) return;
    this.#open = true;
    this.#output.write(HIDE_CURSOR);
    globalThis.addEventListener("unload", this.#restore);
    for (const [signal, handler] of this.#signals) Deno.addSignalListener(signal, handler);
  }

  /**
   * Moves to the first line that was drawn. A terminal that has become narrower since then has
   * wrapped the lines that no longer fit.
   */
  #toStart(): string {
    const { columns } = this.size;
    const rows = this.#drawn.reduce((sum, each) => sum + Math.max(1, Math.ceil(each / columns)), 0);
    return rows === 0 ? "\r" : `\x1b[${rows}A\r`;
  }

  /** However the process ends, the cursor is there again. */
  readonly #restore = (): void => {
    if (this.#open) this.#output.write(SHOW_CURSOR);
  };

  readonly #signals: readonly [Deno.Signal, () => void][] = [
    ["SIGTSTP", () => {
      this.#stopped = true;
      this.#output.write(SHOW_CURSOR);
      Deno.kill(Deno.pid, "SIGSTOP");
    }],
    ["SIGCONT", () => {
      // The shell has printed something meanwhile: what comes is drawn below it.
      this.#stopped = false;
      this.#drawn = [];
      this.#last = "";
      this.#output.write(HIDE_CURSOR);
    }],
    ["SIGQUIT", () => {
      this.close();
      Deno.kill(Deno.pid, "SIGQUIT");
    }],
  ];
}
