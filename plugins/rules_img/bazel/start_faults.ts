/**
 * Faults of what starts Bazel (its client, a wrapper, Bazelisk) and of the machine below it, told by
 * their words: they come before any target is looked at.
 */

import { Fault } from "../../../lib/model/errors.ts";
import { type BazelEnd, ExitStatus } from "./command.ts";
import { shortened } from "./shortened.ts";

const OUT_OF_MEMORY =
  "give Bazel more memory with `startup --host_jvm_args=-Xmx4g` in .bazelrc, or run fewer --jobs";

const LOCK_HELD = "wait for the other command of Bazel in this workspace to end, or end it";

/** Words of such a fault, and what to do. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /Unknown startup option|Invalid argument to --|Couldn't find java at|install base/,
    "correct the `startup` lines of .bazelrc: the workspace's, or your own in the home folder",
  ],
  [
    /error reading (?:config|\.[a-z]*rc) file/,
    "add the file, or import it with `try-import` in .bazelrc",
  ],
  [/import declaration/, "correct the `import` lines of .bazelrc"],
  [
    /Config value .* is not defined in any/,
    "correct `config` and `args` in images.ts or `--config` in .bazelrc, " +
    "or add lines such as `build:NAME …` to .bazelrc",
  ],
  [
    /[Nn]o space left on device|Disk quota exceeded/,
    "free some space; `bazel info output_base` names the folder that Bazel fills",
  ],
  [/OutOfMemoryError|out of memory|maximum heap|allocate memory/i, OUT_OF_MEMORY],
  [
    /requires Bazel .* but it (?:wasn't|was not) found|could not download Bazel|(?:resolve|determine|get) (?:the )?(?:\S+ )?version/i,
    "correct .bazelversion, install that version, or let Bazelisk reach its downloads",
  ],
  [/client lock|holding the lock|lock is held|[Aa]nother command .* is running/, LOCK_HELD],
  [
    /Output base directory|output (?:base|user root)|[Rr]ead-only file system/,
    "let Bazel write to its output base: `startup --output_base=…` in .bazelrc names another",
  ],
];

/** No target of any workspace can be built then. */
const CANNOT_START =
  /Couldn't find java at|install base|requires Bazel .* but it (?:wasn't|was not) found|could not download Bazel|[Rr]ead-only file system/;

const BY_STATUS: Readonly<Record<number, readonly [string, string]>> = {
  [ExitStatus.lockHeld]: ["Another command of Bazel holds the workspace", LOCK_HELD],
  [ExitStatus.otherCommandRuns]: ["Another command of Bazel holds the workspace", LOCK_HELD],
  [ExitStatus.outOfMemory]: ["Bazel ran out of memory", OUT_OF_MEMORY],
};

/** The fault of an end whose cause is known by its words or its status. */
export function startFault({ code, errors, last }: BazelEnd, where: string): Fault | undefined {
  for (const text of errors.length > 0 ? errors : [last ?? ""]) {
    const next = startRemedy(text);
    if (next !== undefined) {
      const kind = CANNOT_START.test(text) ? "unavailable" : "failed";
      return new Fault(messageOf(text), { kind, where, next });
    }
  }
  const [message, next] = BY_STATUS[code] ?? [];
  return message === undefined ? undefined : new Fault(message, { where, next: next! });
}

/** What to do about words of such a fault; undefined for others. */
export function startRemedy(text: string): string | undefined {
  return REMEDIES.find(([words]) => words.test(text))?.[1];
}

/** What was said, without times, marks and hints to read elsewhere. */
function messageOf(text: string): string {
  const plain = text
    .replace(/^\d{4}\/\d\d\/\d\d [\d:]{8} /, "")
    .replace(/^Server crashed during startup\.[^\n]*/, "Bazel's server crashed during startup:")
    .replace(/\n\s*For more info, run [^\n]*/, "");
  return shortened(plain).replace(/\.$/, "");
}
