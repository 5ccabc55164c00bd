/** From what Bazel printed to faults that name the place. */

import { realPath } from "../../../lib/files/way.ts";
import { Fault } from "../../../lib/model/errors.ts";
import { saysUnreachable } from "../../../lib/util/network_failure.ts";
import { isBelow } from "../closure/reading.ts";
import { type BazelEnd, ExitStatus } from "./command.ts";
import type { Abortion } from "./events.ts";
import { shortened } from "./shortened.ts";
import { startFault, startRemedy } from "./start_faults.ts";

/** An error that has a place in a file. */
const PLACE = /^(\/[^:\n]+):(\d+):(\d+): ([^]*)$/;

/** A fault for a command that could not do its work at all. */
export function faultOfEnd(end: BazelEnd, root: string, where: string): Fault {
  const { code, errors, last } = end;
  const early = startFault(end, where);
  if (early !== undefined) return early;
  const [first] = errors;
  const ended = errors.some((error) => SERVER_ENDED.test(error));
  if (ended || (code === ExitStatus.serverFailed && first === undefined)) {
    return new Fault("Bazel's server ended before the work was done", {
      where,
      next: "run the command again; `bazel info server_log` names its log",
    });
  }
  if (code === ExitStatus.badCommand) {
    const reason = shortened(first ?? last ?? "no reason was given");
    return new Fault(`Bazel does not take its arguments: ${reason}`, {
      where,
      next: "correct `args` and `config` in images.ts, or the workspace's .bazelrc",
    });
  }
  if (first !== undefined) return faultOfError(first, root, where);
  const words = last === undefined ? "" : `: ${shortened(last)}`;
  return new Fault(`Bazel ended with status ${code}${words}`, {
    where,
    next: "see what Bazel says in the log",
  });
}

const SERVER_ENDED = /^server terminated|\bserver.*crashed/i;

/**
 * A fault for an error of Bazel's, with its place in a BUILD file where it has one.
 *
 * @param root absolute path that places are shown relative to.
 */
export function faultOfError(error: string, root: string, where: string): Fault {
  const [, path, line, column, rest = error] = PLACE.exec(error) ?? [];
  const message = shortened(rest);
  if (saysUnreachable(rest)) {
    return new Fault(message, {
      kind: "unreachable",
      where,
      next:
        "check the network and HTTPS_PROXY, or let Bazel find it: --distdir, --repository_cache",
    });
  }
  if (path === undefined) return new Fault(message, { where, next: nextStep(message) });
  // A local repository is a link into the sources.
  const source = [path, realPath(path) ?? path].find((each) => isBelow(each, root));
  const file = source === undefined ? path : source.slice(root.length + 1);
  return new Fault(message, {
    where,
    place: { file, line: Number(line), column: Number(column) },
    next: nextStep(message, file.slice(file.lastIndexOf("/") + 1)),
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

/** The error that tells why a target is not there: one that names it, or a file that was read. */
export function errorFor(errors: readonly string[], label: string): string | undefined {
  const own = errors.find((error) => error.includes(`'${label}'`));
  // A BUILD file that cannot be read declares nothing.
  const [, file] = / defined by (\/\S+)/.exec(own ?? "") ?? [];
  const unread = errors.find((error) => error.startsWith(`${file}:`));
  if (unread !== undefined || (own !== undefined && NOT_THERE.test(own))) return unread ?? own;
  return errors.find((error) => PLACE.test(error)) ?? own ?? errors[0];
}

/**
 * The error that tells why a target was not built: one that names it, the one whose words an event
 * has without their place, or one that names what it was not built for.
 */
export function errorOfAborted(
  errors: readonly string[],
  label: string,
  { description = "", causes }: Abortion,
): string | undefined {
  const words = inline(description);
  const same = words === "" ? [] : errors.filter((error) => inline(error).includes(words));
  return errors.find((error) => names(error, label)) ??
    same.find((error) => PLACE.test(error)) ?? same[0] ??
    errors.find((error) => causes.some((cause) => names(error, cause)));
}

/** Says whether a text has this label, and not only one that begins like it. */
function names(text: string, label: string): boolean {
  return text.split(/['"\s,;()]+/).some((word) => word.replace(/:$/, "") === label);
}

function inline(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Says of a label, without another error's help, why nothing stands behind it. */
const NOT_THERE = /no such target|BUILD file not found|No repository visible|could not be resolved/;

/** What to do about an error, by words in it; those of all versions from 4.2 on. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/no such target/, "correct the label in images.ts, or declare the target"],
  [
    /No repository visible as|repository '@[^']*' (?:could not be resolved|is not defined)/,
    "correct the label, or declare the repository in MODULE.bazel or WORKSPACE",
  ],
  [/no such package/, "correct the label, or add the package's BUILD file"],
  [
    /Error accessing registry|module not found in registries/,
    "let Bazel reach its module registry, or name another with `--registry` in .bazelrc",
  ],
  [/paths containing spaces/, "move the workspace to a folder without a space in its path"],
  [
    /no matching toolchains? found/i,
    "register a toolchain of this type, or name one with --extra_toolchains in `args`",
  ],
  [/is incompatible and cannot be built/, "give `args` a --platforms that the target is made for"],
  [
    /remote execution capabilities|UNAVAILABLE|Failed to fetch blobs|evicted from the remote cache/,
    "see that the remote cache of `args`, `config` or .bazelrc answers and holds what it served",
  ],
];

function nextStep(message: string, file?: string): string {
  const known = REMEDIES.find(([words]) => words.test(message));
  if (known !== undefined) return known[1];
  const below = startRemedy(message);
  if (below !== undefined) return below;
  if (file === undefined) return "see the log; `bazel build` of the same target says the same";
  const isBuildFile = /^BUILD(?:\.bazel)?$/.test(file);
  return `correct ${isBuildFile ? "the BUILD file" : file}; ` +
    "`bazel build` of the same target says the same";
}
