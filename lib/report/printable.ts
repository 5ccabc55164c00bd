/** Output of tools, made safe to print. */

const PLAIN = /^[\x20-\x7e]*$/;

/** Escape sequences of ECMA-48: control sequences, strings such as a window's title, and others. */
const ESCAPES =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_](?:[^\x07\x1b]|\x1b[^\\])*(?:\x07|\x1b\\|$)|[ -/]*[0-~]|)/g;

// deno-lint-ignore no-control-regex
const COLOR = /^\x1b\[[\d;:]*m$/;

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f-\x9f]/g;

const RESET = "\x1b[0m";

/**
 * A line of a tool's output that moves no cursor, sets no title and rings no bell. Colours are kept
 * where they are wanted, and end with the line.
 */
export function printable(line: string, color: boolean): string {
  if (PLAIN.test(line)) return line;
  let last = "";
  const clean = line.replaceAll("\t", "        ").replace(ESCAPES, (sequence) => {
    if (!color || !COLOR.test(sequence)) return "";
    last = sequence;
    return sequence;
  }).replace(CONTROLS, "");
  return last === "" || last === RESET ? clean : `${clean}${RESET}`;
}
