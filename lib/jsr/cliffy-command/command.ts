/** Commands: options, arguments, what they do, and the commands below them. */

import {
  type ArgumentDefinition,
  type OptionDefinition,
  type OptionSettings,
  readArguments,
  readOption,
} from "./definition.ts";
import { didYouMean, ValidationError } from "./errors.ts";
import type { Line } from "./parse.ts";
import { renderHelp } from "./render_help.ts";
import type { ArgumentsOf, Merged, OptionMember } from "./types.ts";
import { BUILT_IN, type Type } from "./values.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

type AnyCommand = Command<Any, Any, Any, Any, Any, Any, Any, Any>;

/** What a command does. */
export type ActionHandler<O, A extends unknown[]> = (options: O, ...args: A) => unknown;

/** How a command line came out. */
export interface CommandResult<O, A extends unknown[]> {
  readonly options: O;
  readonly args: A;
  /** What follows `--`. */
  readonly literal: readonly string[];
  /** The command that was run. */
  readonly cmd: AnyCommand;
}

/** Writes a command's help. */
export type HelpHandler = (this: AnyCommand, options: Record<never, never>) => string;

/**
 * A command.
 *
 * @typeParam PG options that it has from above; @typeParam PT types of values from above; @typeParam O
 * its options; @typeParam A its arguments; @typeParam G options that it shares with those below;
 * @typeParam T its types of values; @typeParam GT those it shares; @typeParam P the command above.
 */
export class Command<
  PG = void,
  PT = void,
  O = void,
  A extends unknown[] = [],
  G = void,
  T = void,
  GT = void,
  P = undefined,
> {
  #name = "COMMAND";
  #version: string | undefined;
  #description = "";
  #usage: string | undefined;
  #throws = false;
  #onError: ((error: Error, cmd: AnyCommand) => unknown) | undefined;
  #help: HelpHandler | undefined;
  #exits = true;
  #withoutGlobals = false;
  #parent: P | undefined;
  readonly #examples: { readonly name: string; readonly description: string }[] = [];
  readonly #options: OptionDefinition[] = [];
  readonly #types = new Map<string, Type<Any>>();
  readonly #commands = new Map<string, AnyCommand>();
  #arguments: readonly ArgumentDefinition[] = [];
  #action: ActionHandler<Any, Any> | undefined;

  /** Sets the name. */
  name(name: string): this {
    this.#name = name;
    return this;
  }

  /** Sets the version; `-V` prints it, `--version` the name with it. */
  version(version: string): this {
    this.#version = version;
    return this;
  }

  /** Sets what help says of it; lists show the first line. */
  description(description: string): this {
    this.#description = description;
    return this;
  }

  /** Sets how its arguments are shown. */
  usage(usage: string): this {
    this.#usage = usage;
    return this;
  }

  /** Has none of the options from above but help. */
  noGlobals(): this {
    this.#withoutGlobals = true;
    return this;
  }

  /** An example for help. */
  example(name: string, description: string): this {
    this.#examples.push({ name, description });
    return this;
  }

  /** Throws what is wrong instead of printing it and ending the process. */
  throwErrors(): this {
    this.#throws = true;
    return this;
  }

  /** Is told of errors, and of the command that was run, before they are thrown or printed. */
  error(handler: (error: Error, cmd: AnyCommand) => unknown): this {
    this.#onError = handler;
    return this;
  }

  /** Does not end the process after help and version. */
  noExit(): this {
    this.#exits = false;
    return this;
  }

  /** A type of values for this command and those below it. */
  globalType<const N extends string, const H extends Type<unknown>>(
    name: N,
    type: H,
  ): Command<PG, PT, O, A, G, T, Merged<GT, { [K in N]: H }>, P> {
    this.#types.set(name, type);
    return this as Any;
  }

  /** A type of values for this command. */
  type<const N extends string, const H extends Type<unknown>>(
    name: N,
    type: H,
  ): Command<PG, PT, O, A, G, Merged<T, { [K in N]: H }>, GT, P> {
    this.#types.set(name, type);
    return this as Any;
  }

  /** Declares its arguments, e.g. `<a:string> [b...:string]`. */
  arguments<const S extends string>(
    text: S,
  ): Command<PG, PT, O, ArgumentsOf<S, Merged<PT, Merged<GT, T>>>, G, T, GT, P> {
    this.#arguments = readArguments(text);
    return this as Any;
  }

  /** Declares an option, e.g. `-j, --jobs <n:integer>`. */
  option<const F extends string, const C extends OptionSettings>(
    flags: F,
    description: string,
    // deno-lint-ignore ban-types
    settings: C = {} as C & {},
  ): Command<
    PG,
    PT,
    Merged<O, OptionMember<F, C, Merged<PT, Merged<GT, T>>>>,
    A,
    G,
    T,
    GT,
    P
  > {
    this.#options.push(readOption(flags, description, settings, { global: false }));
    return this as Any;
  }

  /** Declares an option of this command and all below it. */
  globalOption<const F extends string, const C extends OptionSettings>(
    flags: F,
    description: string,
    // deno-lint-ignore ban-types
    settings: C = {} as C & {},
  ): Command<
    PG,
    PT,
    O,
    A,
    Merged<G, OptionMember<F, C, Merged<PT, Merged<GT, T>>>>,
    T,
    GT,
    P
  > {
    this.#options.push(readOption(flags, description, settings, { global: true }));
    return this as Any;
  }

  /** Sets what it does. */
  action(action: ActionHandler<Merged<PG, Merged<G, O>>, A>): this {
    this.#action = action;
    return this;
  }

  /** Adds a command below it. */
  command(name: string, command: AnyCommand): this {
    command.#name = name;
    command.#parent = this;
    this.#commands.set(name, command);
    return this;
  }

  /** Its name. */
  getName(): string {
    return this.#name;
  }

  /** The names of it and those above it. */
  getPath(): string {
    const above = this.#above;
    return above === undefined ? this.#name : `${above.getPath()} ${this.#name}`;
  }

  /** Its version, or that of the one above it. */
  getVersion(): string | undefined {
    return this.#version ?? this.#above?.getVersion();
  }

  /** What help says of it. */
  getDescription(): string {
    return this.#description;
  }

  /** How its arguments are shown: as was set, else as they are declared, with their types. */
  getUsage(): string {
    const required = this.getOptions().filter(({ settings }) => settings.required);
    return this.#usage ?? [
      ...this.#arguments.map(({ text }) => text),
      ...required.map(({ name, args: [argument] }) => `--${name} ${argument?.text ?? ""}`.trim()),
    ].join(" ");
  }

  /** The command above it. */
  getParent(): P {
    return this.#parent as P;
  }

  /** The first command above it. */
  getMainCommand(): AnyCommand {
    return this.#above?.getMainCommand() ?? this;
  }

  /** Its examples. */
  getExamples(): readonly { readonly name: string; readonly description: string }[] {
    return this.#examples;
  }

  /** Its arguments. */
  getArguments(): readonly ArgumentDefinition[] {
    return this.#arguments;
  }

  /** Its options: those from above, then its own. */
  getOptions(): readonly OptionDefinition[] {
    const above = this.#above;
    if (above === undefined) {
      return [HELP, ...(this.#version === undefined ? [] : [VERSION]), ...this.#options];
    }
    const global = above.getOptions().filter((option) => option.global);
    const inherited = this.#withoutGlobals ? global.filter(({ instead }) => instead) : global;
    return [...inherited, ...this.#options];
  }

  /** The commands below it. */
  getCommands(): readonly AnyCommand[] {
    return [...this.#commands.values()];
  }

  /** The command of a name. */
  getCommand(name: string): AnyCommand | undefined {
    return this.#commands.get(name);
  }

  /** A type of values, from here upwards. */
  getType(name: string): { readonly handler: Type<Any> } | undefined {
    const handler = this.#types.get(name) ?? BUILT_IN.get(name);
    return handler === undefined ? this.#above?.getType(name) : { handler };
  }

  /** Sets how help is written, for this command and those below it. */
  help(handler: HelpHandler): this {
    this.#help = handler;
    return this;
  }

  /** Its help. */
  getHelp(): string {
    return this.#helpHandler()?.call(this, {}) ?? renderHelp(this);
  }

  #helpHandler(): HelpHandler | undefined {
    const above = this.#above;
    return this.#help ?? (above === undefined ? undefined : above.#helpHandler());
  }

  /** Prints its help. */
  showHelp(): void {
    console.log(this.getHelp());
  }

  /** Reads a command line and runs the command it names. */
  async parse(
    args: readonly string[] = Deno.args,
  ): Promise<CommandResult<Merged<G, O>, A>> {
    const line: Line = { rest: [...args], options: {}, defaults: new Set(), literal: [] };
    const run: { cmd: AnyCommand } = { cmd: this };
    try {
      return await this.#parse(line, run) as Any;
    } catch (error) {
      this.#onError?.(error as Error, run.cmd);
      if (this.#throws || !(error instanceof ValidationError)) throw error;
      run.cmd.showHelp();
      console.error(`  error: ${error.message}\n`);
      return Deno.exit(error.exitCode);
    }
  }

  get #above(): AnyCommand | undefined {
    return this.#parent as AnyCommand | undefined;
  }

  /** Options of all commands may stand before a command's name. */
  async #parse(
    line: Line,
    run: { cmd: AnyCommand },
  ): Promise<CommandResult<unknown, unknown[]>> {
    run.cmd = this;
    const raw = [...line.rest];
    const { readOptions, readOperands } = await import("./parse.ts");
    const types = (name: string) => this.getType(name)?.handler;
    if (this.#below(line) === undefined && this.#isGlobal(line.rest[0])) {
      const global = this.getOptions().filter((option) => option.global);
      await readOptions(line, global, types, true);
    }
    const below = this.#below(line);
    if (below !== undefined) {
      line.rest.shift();
      return await below.#parse(line, run);
    }
    await readOptions(line, this.getOptions(), types, false);
    if (this.#arguments.length === 0) await this.#refuseOperands(line.rest);
    const args = readOperands(line, this.#arguments, types);
    const { options, literal, alone } = line;
    if (alone !== undefined) this.#answer(alone, raw);
    else await this.#action?.(options, ...args);
    return { options, args, literal, cmd: this };
  }

  #below({ rest: [name = ""] }: Line): AnyCommand | undefined {
    return this.getCommand(name);
  }

  #isGlobal(word: string | undefined): boolean {
    const [flag = ""] = word?.split("=") ?? [];
    return this.getOptions().some((option) => option.global && option.flags.includes(flag));
  }

  async #refuseOperands([first, ...more]: readonly string[]): Promise<void> {
    if (first === undefined) return;
    if (this.#commands.size === 0) {
      throw new ValidationError(`No arguments allowed for command "${this.getPath()}".`);
    }
    if (this.#commands.has(first)) {
      throw new ValidationError(`Too many arguments: ${[first, ...more].join(" ")}`);
    }
    throw await unknownCommand(first, this);
  }

  #answer({ instead, flags }: OptionDefinition, raw: readonly string[]): void {
    if (instead === "help") this.showHelp();
    else {
      const isLong = raw.some((word) => word.startsWith("--") && flags.includes(word));
      console.log(`${isLong ? `${this.#name} ` : ""}${this.getVersion()}`);
    }
    if (this.getMainCommand().#exits) Deno.exit(0);
  }
}

/** The error for a command nobody declared. */
export async function unknownCommand(
  name: string,
  above: AnyCommand | undefined,
  but?: AnyCommand,
): Promise<ValidationError> {
  const commands = above?.getCommands().filter((command) => command !== but) ?? [];
  const known = commands.map((command) => command.getName());
  const advice = await didYouMean("command", name, known);
  return new ValidationError(`Unknown command "${name}".${advice}`);
}

const HELP = readOption("-h, --help", "Show this help.", {}, { global: true, instead: "help" });

const VERSION = readOption(
  "-V, --version",
  "Show the version number for this program.",
  {},
  { global: false, instead: "version" },
);
