/** Showing a file in whatever program the user has for it. */

import { unavailableFault } from "../model/errors.ts";
import { which } from "./which.ts";

/** Programs that open a file as if it were clicked. */
const OPENERS = ["xdg-open", "open", "wslview"];

/**
 * Opens a file and does not wait: the program lives on after this one.
 *
 * @throws {Fault} when there is no program for it.
 */
export function openFile(path: string): void {
  const opener = OPENERS.map((name) => which(name)).find((found) => found !== undefined);
  if (opener === undefined) {
    throw unavailableFault(`There is no ${OPENERS.join(" or ")} to open it with`, {
      where: path,
      next: "open the file in a browser",
    });
  }
  new Deno.Command(opener, {
    args: [path],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn().unref();
}
