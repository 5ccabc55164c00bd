/**
 * The options of the .bazelrc chain that are in effect for a build, and of these the ones that only
 * this user or this machine has.
 */

import { relative } from "@std/path";
import { type RcChain, valuesOf } from "./rc.ts";

/** An option in effect, with its value. */
export interface EffectiveOption {
  /** As in `--name=value`; the value may have been a word of its own. */
  readonly text: string;
  /** It stands in the workspace's own files or in images.ts, and no configuration of others chose it. */
  readonly isOwn: boolean;
}

/** Commands whose lines a build takes, the most general first. */
const COMMANDS: readonly string[] = ["always", "common", "build"];

/** Configuration that Bazel takes by itself with --enable_platform_specific_config. */
const PLATFORM = { linux: "linux", darwin: "macos", windows: "windows" } as Record<string, string>;

/** Options that decide where and how Bazel works, and what it says, not what comes of it. */
const HARMLESS = new RegExp(`^--(?:no)?(?:experimental_)?(?:${
  [
    /(?:remote|disk_cache|repository_cache|repository_downloader|downloader|http|grpc|tls)\w*/,
    /(?:google|auth|credential_helper|netrc)\w*/,
    /(?:bes|build_event|profile|memory_profile|ui|show|verbose|progress|invocation)\w*/,
    /(?:sandbox|local|worker|total_worker|max|dynamic_(?:local|remote)|jobs|loading_phase)\w*/,
    /(?:strategy|spawn_strategy|genrule_strategy|test|cache_test)\w*/,
    /announce_rc|attempt_to_print_relative_paths|auto_output_filter|output_filter|color|curses/,
    /distdir|flaky_test_attempts|heap_dump_on_oom|keep_going|keep_state_after_build/,
    /enable_platform_specific_config|slim_profile|subcommands/,
    /symlink_prefix|convenience_symlinks|terminal_columns|tool_tag|watchfs|write_command_log/,
  ].map(({ source }) => source).join("|")
})(?:=|$)`);

/** What a build takes of the chain and of what was given, each configuration's options in its place. */
export function effectiveOptions(
  { lines }: RcChain,
  given: readonly string[],
): EffectiveOption[] {
  const expand = (option: EffectiveOption, open: readonly string[]): EffectiveOption[] => {
    const [config] = valuesOf([option.text], ["--config"]);
    if (config === undefined) return [option];
    return open.includes(config) ? [] : configuration(config, option.isOwn, [...open, config]);
  };
  const configuration = (config: string, isOwn: boolean, open: readonly string[]) =>
    linesOf((command) => `${command}:${config}`)
      .flatMap((option) => expand({ ...option, isOwn: option.isOwn && isOwn }, open));
  const linesOf = (nameOf: (command: string) => string): EffectiveOption[] =>
    COMMANDS.map(nameOf).flatMap((name) =>
      lines.filter(({ command }) => command === name).flatMap(({ words, isOwn }) =>
        optionsIn(words).map((text) => ({ text, isOwn }))
      )
    );
  const options = [
    ...linesOf((command) => command),
    ...optionsIn(given).map((text) => ({ text, isOwn: true })),
  ].flatMap((option) => expand(option, []));
  const platform = PLATFORM[Deno.build.os];
  if (platform === undefined || isOff(options, "enable_platform_specific_config")) return options;
  // Whether it is on by itself depends on the version; what is too much here costs little.
  return [...configuration(platform, true, [platform]), ...options];
}

/** Whether a boolean option is on; undefined where nobody says so. */
export function isOn(options: readonly EffectiveOption[], name: string): boolean | undefined {
  const said = options.flatMap(({ text }) => {
    if (text === `--${name}`) return [true];
    if (text === `--no${name}`) return [false];
    return valuesOf([text], [`--${name}`]).map((value) => !/^(?:false|no|0)$/i.test(value));
  });
  return said.at(-1);
}

function isOff(options: readonly EffectiveOption[], name: string): boolean {
  return isOn(options, name) === false;
}

/**
 * Options that can change what is built and that no file of the repository has, by name: they are the
 * user's or the machine's.
 *
 * @param workspace absolute path: below it, places are the same on every machine.
 */
export function localOptions(
  options: readonly EffectiveOption[],
  workspace: string,
): ReadonlyMap<string, readonly string[]> {
  const local = options.filter(({ text, isOwn }) => !isOwn && !HARMLESS.test(text));
  const named = local.map(({ text }) => {
    const equals = text.indexOf("=");
    const [name, value] = equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
    return [name, value.startsWith(`${workspace}/`) ? relative(workspace, value) : value] as const;
  });
  const byName = Map.groupBy(named, ([name]) => name);
  return new Map([...byName].map(([name, all]) => [name, all.map(([, value]) => value)]));
}

/** Words as options: one that does not begin with a dash is the value of the one before it. */
function optionsIn(words: readonly string[]): string[] {
  const options: string[] = [];
  for (const word of words) {
    const before = options.at(-1);
    if (word.startsWith("-") || before === undefined || before.includes("=")) options.push(word);
    else options[options.length - 1] = `${before}=${word}`;
  }
  return options;
}
