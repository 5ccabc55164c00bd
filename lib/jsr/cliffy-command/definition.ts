/** Option and argument strings, read. */

/** One argument, or an option's value: `<n:integer>`, `[file...:string]`. */
export interface ArgumentDefinition {
  /** As it was written. */
  readonly text: string;
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
  /** Its value, if it takes one. */
  readonly args: readonly ArgumentDefinition[];
  readonly description: string;
  readonly settings: OptionSettings;
  /** It holds for commands below too. */
  readonly global: boolean;
  /** What is done in place of the command's own action; it stands alone then. */
  readonly instead?: "help" | "version";
}

/** Reads `-j, --jobs <n:integer>`. */
export function readOption(
  text: string,
  description: string,
  settings: OptionSettings,
  more: Pick<OptionDefinition, "global" | "instead">,
): OptionDefinition {
  const at = text.search(/[<[]/);
  const flags = (at < 0 ? text : text.slice(0, at)).replace(/[ =]+$/, "").split(/[ ,]+/);
  const long = flags.find((flag) => flag.startsWith("--")) ?? flags[0]!;
  const name = long.replace(/^-+/, "");
  const negates = name.startsWith("no-");
  return {
    flags,
    name,
    member: camelCase(negates ? name.slice(3) : name),
    negates,
    args: at < 0 ? [] : readArguments(text.slice(at)),
    description,
    settings,
    ...more,
  };
}

/** Reads `<a:string> [b...:string]`. */
export function readArguments(text: string): ArgumentDefinition[] {
  return [...text.matchAll(/([<[])([^\]>:.]+)(\.\.\.)?(?::([^\]>]+))?[\]>]/g)].map((match) => ({
    text: match[0],
    name: match[2]!,
    type: match[4] ?? "string",
    optional: match[1] === "[",
    variadic: match[3] !== undefined,
  }));
}

/** How an argument is written in help: `<n>`, `[file...]`. */
export function usageOf({ name, optional, variadic }: ArgumentDefinition): string {
  const inner = `${name}${variadic ? "..." : ""}`;
  return optional ? `[${inner}]` : `<${inner}>`;
}

/** Names of options as they are typed: `--jobs`, `-j`, the long one first. */
export function flagsOf(options: readonly OptionDefinition[]): string[] {
  return options.flatMap(({ flags, name }) => {
    const long = flags.filter((flag) => flag.replace(/^-+/, "") === name);
    return [...long, ...flags.filter((flag) => !long.includes(flag))];
  });
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
