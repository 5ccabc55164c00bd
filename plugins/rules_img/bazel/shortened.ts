/** Errors of Bazel as messages. */

/** The most lines of one error that go into a message. */
const LINES = 6;

/** The longest line of one, in characters: commands can be very long. */
const WIDTH = 200;

/** An error as a message: without what Bazel puts in front, not too long. */
export function shortened(text: string): string {
  const lines = text.replace(PREFIXES, "").replace(TRACEBACK, "$1")
    .split("\n").filter((line) => line.trim() !== "")
    .map((line) => line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`);
  return lines.length <= LINES ? lines.join("\n") : [...lines.slice(0, LINES), "…"].join("\n");
}

const PREFIXES =
  /^(?:Skipping '[^']*': |Evaluation of query "[^]*?" failed: |Error computing the main repository mapping: )/;

/** The calls that led to an error of Starlark; its last line says what it was. */
const TRACEBACK = /(^|[^\S\n])\n?Traceback \(most recent call last\):\n[^]*\n(?=Error)/;
