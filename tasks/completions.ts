/** `images completions`: a script for a shell, and the answers to what the script asks. */

import { commandLine } from "./cli/command_line.ts";
import { candidates, FILES } from "./completions/candidates.ts";
import { scriptOf, type Shell, written } from "./completions/shells.ts";
import { print } from "./print.ts";

/**
 * Prints the script that completes command lines in a shell.
 *
 * @param typed where the script itself asks: what was typed behind `images`, each word with a dot in
 * front so that an empty last one is not lost. Then what may stand in the last one's place is
 * printed, a candidate a line.
 */
export async function completions(shell: Shell, typed: readonly string[]): Promise<number> {
  if (typed.length === 0) print(scriptOf(shell));
  else {
    const words = typed.map((word) => word.replace(/^\./, ""));
    const found = await candidates(commandLine(() => {}), words);
    const lines = found === FILES ? [FILES] : found.map((each) => written(each, shell));
    print(lines.join("\n"));
  }
  return 0;
}
