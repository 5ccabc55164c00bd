/** Option and argument strings, read. */

/** One argument, or an option's value: `<n:integer>`, `[file...:string]`. */
export interface ArgumentDefinition {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly variadic: boolean;
}

/** What an option may be told besides its flags. */
export interface OptionSettings {
  /** It must be given. */
  readonly required?: boolean;
  /** Its value where it is not given. */
  readonly default?: unknown;
  /** It may be given several times; its value is a list. */
  readonly collect?: boolean;
  /** It is not shown in help. */
  readonly hidden?: boolean;
  /** Options that cannot be given with it. */
  readonly conflicts?: readonly string[];
  /** Options that must be given with it. */
  readonly depends?: readonly string[];
  /** Turns its value into another. */
  // deno-lint-ignore no-explicit-any
  readonly value?: (value: any, previous?: any) => unknown;
}

/** One option. */
export interface OptionDefinition {
  /** Flags as written, without the value. */
  readonly flags: readonly string[];
  /** The long flag without dashes, e.g. `keep-going` or `no-color`. */
  readonly name: string;
  /** The member it sets, e.g. `keepGoing` or `color`. */
  readonly member: string;
  /** `--no-…`: it sets its member to false. */
  readonly negates: boolean;
  readonly argument?: ArgumentDefinition;
  /** How its value is written in help. */
  readonly usage: string;
  readonly description: string;
  readonly settings: OptionSettings;
}

/** Reads `-j, --jobs <n:integer>`. */
export function readOption(
  text: string,
  description: string,
  settings: OptionSettings,
): OptionDefinition {
  const at = text.search(/[<[]/);
  const flags = (at < 0 ? text : text.slice(0, at)).replace(/[ =]+$/, "").split(/[ ,]+/);
  const long = flags.findLast((flag) => flag.startsWith("--")) ?? flags[0]!;
  const name = long.replace(/^-+/, "");
  const negates = name.startsWith("no-");
  const [argument] = at < 0 ? [] : readArguments(text.slice(at));
  return {
    flags,
    name,
    member: camelCase(negates ? name.slice(3) : name),
    negates,
    ...(argument === undefined ? {} : { argument }),
    usage: argument === undefined ? "" : usageOf(argument),
    description,
    settings,
  };
}

/** Reads `<a:string> [b...:string]`. */
export function readArguments(text: string): ArgumentDefinition[] {
  return [...text.matchAll(/([<[])(\.\.\.)?([^\]>:.]+)(\.\.\.)?(?::([^\]>]+))?[\]>]/g)].map((
    match,
  ) => ({
    name: match[3]!,
    type: match[5] ?? "string",
    optional: match[1] === "[",
    variadic: match[2] !== undefined || match[4] !== undefined,
  }));
}

/** How an argument is written in help: `<n>`, `[file...]`. */
export function usageOf({ name, optional, variadic }: ArgumentDefinition): string {
  const inner = `${name}${variadic ? "..." : ""}`;
  return optional ? `[${inner}]` : `<${inner}>`;
}

/** `keep-going` is `keepGoing`. */
export function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
