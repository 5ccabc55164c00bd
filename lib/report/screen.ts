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
/** Lines that are too long are cut: of one that wraps nobody would know how many rows it has. */
const WRAP_OFF = "\x1b[?7l";
const WRAP_ON = "\x1b[?7h";
/** A terminal that becomes narrower wraps what stands in it. These two cut it off instead. */
const REFLOWS = Deno.env.get("XTERM_VERSION") === undefined && Deno.env.get("TERM") !== "linux";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** Lines that were drawn. */
interface Drawn {
  /** Columns of each. */
  readonly widths: readonly number[];
  /** Columns of the terminal by then. */
  readonly columns: number;
}

const NOTHING: Drawn = { widths: [], columns: 0 };

/** The lines of a terminal from where the cursor was. */
export class Screen {
  readonly #output: Output;
  /** The lines that will be drawn over. */
  #drawn = NOTHING;
  #last = "";
  #open = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** The terminal's size. It is asked for each time, so a resize is seen with the next frame. */
  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#output.size();
    return { columns: Math.max(20, columns), rows: Math.max(3, rows) };
  }

  /**
   * Puts lines that stay above the lines that will be drawn over. The cursor stays at the end of the
   * last one: where a resize moves text, it moves with it.
   */
  draw(staying: readonly string[], redrawn: readonly string[]): void {
    const text = redrawn.join("\n");
    if (staying.length === 0 && text === this.#last && this.#open) return;
    this.#begin();
    const { columns } = this.size;
    const whole = staying.map((line) => `${line}${CLEAR_LINE}\n`).join("");
    const cut = redrawn.map((line) => `${line}${CLEAR_LINE}`).join("\n");
    this.#output.write(
      `${BEGIN_UPDATE}${
        this.#toStart(columns)
      }${whole}${WRAP_OFF}${cut}${WRAP_ON}${CLEAR_BELOW}${END_UPDATE}`,
    );
    this.#drawn = { widths: redrawn.map(columnsOf), columns };
    this.#last = text;
  }

  /** Gives the terminal back. What was drawn stays. */
  close(): void {
    if (!this.#open) return;
    this.#leave();
    this.#open = false;
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

  /** Moves to the first row of what was drawn. */
  #toStart(columns: number): string {
    const { widths, columns: before } = this.#drawn;
    const wrapped = columns < before && REFLOWS;
    const rows = wrapped
      ? widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0)
      : widths.length;
    const up = rows <= 1 ? "\r" : `\x1b[${rows - 1}A\r`;
    // Rows that were wrapped stay joined for a terminal that becomes wider again, unless cleared.
    return wrapped ? `${up}${CLEAR_BELOW}` : up;
  }

  /** What is printed from here on, by whomever, stands below what was drawn. */
  #leave(): void {
    this.#output.write(this.#drawn.widths.length === 0 ? SHOW_CURSOR : `\n${SHOW_CURSOR}`);
    this.#drawn = NOTHING;
    this.#last = "";
  }

  /** However the process ends, the cursor is there again. */
  readonly #restore = (): void => this.#leave();

  readonly #signals: readonly [Deno.Signal, () => void][] = [
    ["SIGTSTP", () => {
      this.#leave();
      Deno.kill(Deno.pid, "SIGSTOP");
    }],
    ["SIGCONT", () => this.#output.write(HIDE_CURSOR)],
    ["SIGQUIT", () => {
      this.close();
      Deno.kill(Deno.pid, "SIGQUIT");
    }],
  ];
}
