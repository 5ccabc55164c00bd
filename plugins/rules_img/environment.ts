/**
 * Variables of the environment that can get into what a build makes, and into the key with it: those
 * that options let through, those that rules of the workspace read, and what Bazel inherits itself.
 */

import { parseLabel } from "./bazel/label.ts";
import { type EffectiveOption, isOn } from "./closure/options.ts";
import { variablesOf } from "./closure/rc.ts";
import { readIfThere } from "./closure/reading.ts";

/** Variables that actions inherit unless the environment of actions is strict. */
const INHERITED = ["PATH", "LD_LIBRARY_PATH"];

/** Variables from which Bazel makes a toolchain for the machine's own C compiler. */
const C_TOOLCHAIN = [
  "BAZEL_COMPILER",
  "BAZEL_CONLYOPTS",
  "BAZEL_COPTS",
  "BAZEL_CXXOPTS",
  "BAZEL_HOST_SYSTEM",
  "BAZEL_LINKLIBS",
  "BAZEL_LINKOPTS",
  "BAZEL_TARGET_CPU",
  "BAZEL_TARGET_LIBC",
  "BAZEL_TARGET_SYSTEM",
  "BAZEL_USE_LLVM_NATIVE_COVERAGE",
  "CC",
  "CC_CONFIGURE_DEBUG",
  "CC_TOOLCHAIN_NAME",
  "CPLUS_INCLUDE_PATH",
  "C_INCLUDE_PATH",
  "CXX",
  "GCOV",
];

/** The first version in which the environment of actions is strict by itself. */
const STRICT_SINCE = 9;

/** What Starlark files read from the environment by name. */
const READ = [
  /\bgetenv\(\s*["'](\w+)["']/g,
  /\benviron\s*\.\s*get\(\s*["'](\w+)["']/g,
  /\benviron\s*\[\s*["'](\w+)["']/g,
  /\benviron\s*=\s*\[([^\]]*)\]/g,
  /["'](\w+)["']\s+in\s+\w+\.os\.environ/g,
];

/**
 * Names of the variables whose values can change what a target becomes, sorted.
 *
 * @param labels all that the target is made from.
 * @param starlark absolute paths of the workspace's Starlark files.
 */
export function environmentOf(
  options: readonly EffectiveOption[],
  labels: Iterable<string>,
  starlark: Iterable<string>,
  workspace: string,
): string[] {
  const names = new Set(variablesOf(options.map(({ text }) => text)));
  if (!(isOn(options, "incompatible_strict_action_env") ?? isStrictByItself(workspace))) {
    for (const name of INHERITED) names.add(name);
  }
  const usesC = [...labels].some((label) => /local_config_cc\b/.test(repositoryOf(label)));
  if (usesC) { for (const name of C_TOOLCHAIN) names.add(name); }
  for (const path of starlark) for (const name of readBy(readIfThere(path))) names.add(name);
  return [...names].sort();
}

/**
 * Variables that can be told without asking Bazel: those that options and the workspace's own files
 * name, and those of the C toolchain. What actions inherit unless their environment is strict is
 * left out: it is another on every machine.
 */
export function namedVariables(
  options: readonly EffectiveOption[],
  starlark: Iterable<string>,
): string[] {
  const names = new Set([...variablesOf(options.map(({ text }) => text)), ...C_TOOLCHAIN]);
  for (const path of starlark) for (const name of readBy(readIfThere(path))) names.add(name);
  return [...names].sort();
}

/** Variables that a Starlark file reads: a repository rule sees all of the environment. */
export function readBy(text: string): string[] {
  if (!/\b(?:environ|getenv)\b/.test(text)) return [];
  return READ.flatMap((pattern) => [...text.matchAll(pattern)]).flatMap(([, found = ""]) =>
    found.match(/[A-Za-z_]\w*/g) ?? []
  );
}

function repositoryOf(label: string): string {
  return parseLabel(label)?.repository ?? "";
}

/** Whether the workspace asks for a version that is strict by itself; where it names none it is not. */
function isStrictByItself(workspace: string): boolean {
  const asked = Deno.env.get("USE_BAZEL_VERSION") || readIfThere(`${workspace}/.bazelversion`);
  const major = /^\s*(?:[\w.-]+\/)?(\d+)\./.exec(asked)?.[1];
  return major !== undefined && Number(major) >= STRICT_SINCE;
}
