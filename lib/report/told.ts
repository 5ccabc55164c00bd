/** From events to who tells of them. */

import type { EventSink, RunEvent } from "../model/events.ts";
import type { Board } from "./board.ts";

/**
 * What tells of each kind of event; of other kinds nothing is told.
 *
 * `since` is when the node's work began, in milliseconds since the run did.
 */
export type Tellers = {
  readonly [K in RunEvent["kind"]]?: (
    event: RunEvent & { readonly kind: K },
    since: number | undefined,
  ) => void;
};

/** Puts each event on the board, and then hands it to what tells of its kind. */
export function toldBy(board: Board, tellers: Tellers): EventSink {
  return (event) => {
    const since = "id" in event ? board.since(event.id ?? "") : undefined;
    board.apply(event);
    const tell = tellers[event.kind] as
      | ((event: RunEvent, since: number | undefined) => void)
      | undefined;
    tell?.(event, since);
  };
}
