/** Stand-in for `@std/cli/parse-args`, over the npm package minimist, from which it descends. */

import minimist from "minimist";

/** Options of {@link parseArgs}. */
export interface ParseOptions {
  /** Names whose values stay strings. */
  readonly string?: string | readonly string[];
  /** Names that take no value. */
  readonly boolean?: boolean | string | readonly string[];
  /** Names that may be given several times; they are always lists. */
  readonly collect?: string | readonly string[];
  /** Names for which `--no-NAME` means false. */
  readonly negatable?: string | readonly string[];
  /** Other names. */
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Values of names that are not given. */
  readonly default?: Readonly<Record<string, unknown>>;
  /** Puts what follows `--` under `"--"`. @default false */
  readonly "--"?: boolean;
  /** Ends at the first argument that is no option. @default false */
  readonly stopEarly?: boolean;
}

/** Parses arguments: options by name, the rest under `_`. */
export function parseArgs(
  args: readonly string[],
  options: ParseOptions = {},
): Record<string, unknown> & { _: (string | number)[] } {
  const collected = new Set(listOf(options.collect));
  const parsed = minimist([...args], {
    string: listOf(options.string),
    boolean: typeof options.boolean === "boolean" ? options.boolean : listOf(options.boolean),
    alias: mapValues(options.alias ?? {}, (names) => [...listOf(names)]),
    default: { ...options.default },
    "--": options["--"] ?? false,
    stopEarly: options.stopEarly ?? false,
  });
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_" || name === "--") continue;
    // Of options given several times the last counts, unless they are collected.
    if (collected.has(name)) parsed[name] = Array.isArray(value) ? value : [value];
    else if (Array.isArray(value)) parsed[name] = value.at(-1);
  }
  for (const name of collected) parsed[name] ??= [];
  return parsed;
}

function listOf(value: boolean | string | readonly string[] | undefined): string[] {
  if (value === undefined || typeof value === "boolean") return [];
  return typeof value === "string" ? [value] : [...value];
}

function mapValues<A, B>(map: Readonly<Record<string, A>>, change: (value: A) => B) {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));
}
