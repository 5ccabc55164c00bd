/** From what Bazel printed to faults that name the place. */

import { Fault } from "../../../lib/model/errors.ts";
import { isBelow } from "../closure/reading.ts";

/** The most lines of one error that go into a message. */
const LINES = 6;

/** The longest line of one, in characters: commands can be very long. */
const WIDTH = 200;

/**
 * A fault for an error of Bazel's, with its place in a BUILD file where it has one.
 *
 * @param root absolute path that places are shown relative to.
 */
export function faultOfError(error: string, root: string, where: string): Fault {
  const [, path, line, column, rest = error] = /^(\/[^:\n]+):(\d+):(\d+): ([^]*)$/.exec(error) ??
    [];
  const message = shortened(rest);
  const next = nextStep(message);
  if (path === undefined) return new Fault(message, { where, next });
  const file = isBelow(path, root) ? path.slice(root.length + 1) : path;
  return new Fault(message, {
    where,
    place: { file, line: Number(line), column: Number(column) },
    next,
  });
}

/** An error in the BUILD file of one of these packages, e.g. `//app`. */
export function errorIn(
  errors: readonly string[],
  packages: Iterable<string>,
  workspace: string,
): string | undefined {
  const folders = new Set([...packages].map((each) => `${workspace}${each.slice(1)}`));
  return errors.find((error) => {
    const [, folder] = /^(\/[^:\n]*)\/BUILD(?:\.bazel)?:\d+:\d+: /.exec(error) ?? [];
    return folder !== undefined && (folders.has(folder) || folders.has(`${folder}/`));
  });
}

/** The error that tells why a target is not there: of a file that was read, or one that names it. */
export function errorFor(errors: readonly string[], label: string): string | undefined {
  return errors.find((error) => /^\/[^:\n]+:\d+:\d+: /.test(error)) ??
    errors.find((error) => error.includes(`'${label}'`)) ?? errors[0];
}

/** An error as a message: without what Bazel puts in front, not too long. */
export function shortened(text: string): string {
  const lines = text.replace(/^(?:Skipping '[^']*': |Evaluation of query "[^]*?" failed: )/, "")
    .split("\n").filter((line) => line.trim() !== "")
    .map((line) => line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`);
  return lines.length <= LINES ? lines.join("\n") : [...lines.slice(0, LINES), "…"].join("\n");
}

function nextStep(message: string): string {
  if (/no such target/.test(message)) {
    return "correct the label in images.ts, or declare the target";
  }
  if (/no such package/.test(message)) return "correct the label, or add the package's BUILD file";
  return "correct the BUILD file; `bazel build` of the same target says the same";
}
