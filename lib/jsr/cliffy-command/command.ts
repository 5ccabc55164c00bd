/** Commands: options, arguments, what they do, and the commands below them. */

import {
  type ArgumentDefinition,
  type OptionDefinition,
  type OptionSettings,
  readArguments,
  readOption,
} from "./definition.ts";
import { unknownCommand, ValidationError } from "./errors.ts";
import { renderHelp } from "./render_help.ts";
import type { ArgumentsOf, Merged, OptionMember } from "./types.ts";
import { BUILT_IN, type Type } from "./values.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

/** What a command does. */
export type ActionHandler<O, A extends unknown[]> = (options: O, ...args: A) => unknown;

/** How a command line came out. */
export interface CommandResult<O, A extends unknown[]> {
  readonly options: O;
  readonly args: A;
  /** What follows `--`. */
  readonly literal: readonly string[];
  /** The command that was run. */
  readonly cmd: Command<Any, Any, Any>;
}

/**
 * A command.
 *
 * @typeParam O its options; @typeParam A its arguments; @typeParam T its types of values.
 */
// deno-lint-ignore ban-types
export class Command<O = {}, A extends unknown[] = [], T = {}> {
  #name = "COMMAND";
  #version: string | undefined;
  #description = "";
  #usage: string | undefined;
  #hidden = false;
  #throws = false;
  #exits = true;
  #parent: Command<Any, Any, Any> | undefined;
  readonly #aliases: string[] = [];
  readonly #examples: { readonly name: string; readonly description: string }[] = [];
  readonly #options: OptionDefinition[] = [];
  readonly #globals: OptionDefinition[] = [];
  readonly #types = new Map<string, Type<Any>>();
  readonly #commands = new Map<string, Command<Any, Any, Any>>();
  #arguments: readonly ArgumentDefinition[] = [];
  #action: ActionHandler<Any, Any> | undefined;
  #errorHandler: ((error: Error, cmd: Command<Any, Any, Any>) => unknown) | undefined;

  /** Sets the name. */
  name(name: string): this {
    this.#name = name;
    return this;
  }

  /** Sets the version; `--version` and `-V` print it. */
  version(version: string): this {
    this.#version = version;
    return this;
  }

  /** Sets what help says of it. */
  description(description: string): this {
    this.#description = description;
    return this;
  }

  /** Sets how its arguments are shown. */
  usage(usage: string): this {
    this.#usage = usage;
    return this;
  }

  /** Leaves it out of help. */
  hidden(): this {
    this.#hidden = true;
    return this;
  }

  /** Another name for it. */
  alias(alias: string): this {
    this.#aliases.push(alias);
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

  /** Does not end the process after help and version. */
  noExit(): this {
    this.#exits = false;
    return this;
  }

  /** Is told of errors before they are thrown or printed. */
  error(handler: (error: Error, cmd: Command<Any, Any, Any>) => unknown): this {
    this.#errorHandler = handler;
    return this;
  }

  /** A type of values for this command and those below it. */
  globalType<const N extends string, V>(
    name: N,
    type: Type<V>,
  ): Command<O, A, Merged<T, { [K in N]: V }>> {
    this.#types.set(name, type);
    return this as Any;
  }

  /** A type of values for this command and those below it. */
  type<const N extends string, V>(
    name: N,
    type: Type<V>,
  ): Command<O, A, Merged<T, { [K in N]: V }>> {
    return this.globalType(name, type);
  }

  /** Declares its arguments, e.g. `<a:string> [b...:string]`. */
  arguments<const S extends string>(text: S): Command<O, ArgumentsOf<S, T>, T> {
    this.#arguments = readArguments(text);
    return this as Any;
  }

  /** Declares an option, e.g. `-j, --jobs <n:integer>`. */
  option<const F extends string, const C extends OptionSettings>(
    flags: F,
    description: string,
    // deno-lint-ignore ban-types
    settings: C = {} as C & {},
  ): Command<Merged<O, OptionMember<F, C, T>>, A, T> {
    this.#options.push(readOption(flags, description, settings));
    return this as Any;
  }

  /** Declares an option of this command and all below it. */
  globalOption<const F extends string, const C extends OptionSettings>(
    flags: F,
    description: string,
    // deno-lint-ignore ban-types
    settings: C = {} as C & {},
  ): Command<Merged<O, OptionMember<F, C, T>>, A, T> {
    this.#globals.push(readOption(flags, description, settings));
    return this as Any;
  }

  /** Sets what it does. */
  action(action: ActionHandler<O, A>): this {
    this.#action = action;
    return this;
  }

  /** Adds a command below it; its arguments may follow its name. */
  command(nameAndArguments: string, command: Command<Any, Any, Any>): this {
    const [name = "", ...rest] = nameAndArguments.split(" ");
    command.#name = name;
    command.#parent = this;
    if (rest.length > 0) command.#arguments = readArguments(rest.join(" "));
    this.#commands.set(name, command);
    return this;
  }

  /** Its name. */
  getName(): string {
    return this.#name;
  }

  /** The names of it and those above it. */
  getPath(): string {
    return this.#parent === undefined ? this.#name : `${this.#parent.getPath()} ${this.#name}`;
  }

  /** Its version, or that of the one above it. */
  getVersion(): string | undefined {
    return this.#version ?? this.#parent?.getVersion();
  }

  /** What help says of it. */
  getDescription(): string {
    return this.#description;
  }

  /** How its arguments are shown, if that was set. */
  getUsage(): string | undefined {
    return this.#usage;
  }

  /** The command above it. */
  getParent(): Command<Any, Any, Any> | undefined {
    return this.#parent;
  }

  /** Its other names. */
  getAliases(): readonly string[] {
    return this.#aliases;
  }

  /** Its examples. */
  getExamples(): readonly { readonly name: string; readonly description: string }[] {
    return this.#examples;
  }

  /** Its arguments. */
  getArguments(): readonly ArgumentDefinition[] {
    return this.#arguments;
  }

  /** Its own options, and help and version. */
  getBaseOptions(): readonly OptionDefinition[] {
    return [
      ...this.#options,
      HELP,
      ...(this.#parent === undefined && this.#version ? [VERSION] : []),
    ];
  }

  /** The options it shares with those above it. */
  getGlobalOptions(): readonly OptionDefinition[] {
    return [...this.#globals, ...this.#parent?.getGlobalOptions() ?? []];
  }

  /** The commands below it. */
  getCommands(withHidden = false): readonly Command<Any, Any, Any>[] {
    return [...this.#commands.values()].filter((command) => withHidden || !command.#hidden);
  }

  /** The command of a name, or of an alias. */
  getCommand(name: string): Command<Any, Any, Any> | undefined {
    return this.#commands.get(name) ??
      [...this.#commands.values()].find((command) => command.#aliases.includes(name));
  }

  /** A type of values, from here upwards. */
  getType(name: string): Type<Any> | undefined {
    return this.#types.get(name) ?? this.#parent?.getType(name) ?? BUILT_IN.get(name);
  }

  /** Its help, at most 80 columns wide. */
  getHelp(): string {
    return renderHelp(this);
  }

  /** Prints its help. */
  showHelp(): void {
    console.log(this.getHelp());
  }

  /** Reads a command line and runs the command it names. */
  async parse(args: readonly string[] = Deno.args): Promise<CommandResult<O, A>> {
    const command = this.#find(args);
    try {
      return await command.cmd.#run(command.rest) as Any;
    } catch (error) {
      this.#errorHandler?.(error as Error, command.cmd);
      if (this.#throws || !(error instanceof ValidationError)) throw error;
      console.error(error.message);
      return Deno.exit(error.exitCode);
    }
  }

  /** The command that the first words name; options may stand before them. */
  #find(args: readonly string[]): { cmd: Command<Any, Any, Any>; rest: readonly string[] } {
    const at = this.#firstWord(args);
    const next = at === undefined ? undefined : this.getCommand(args[at]!);
    if (at === undefined || next === undefined) return { cmd: this, rest: args };
    return next.#find([...args.slice(0, at), ...args.slice(at + 1)]);
  }

  #firstWord(args: readonly string[]): number | undefined {
    const options = [...this.getBaseOptions(), ...this.getGlobalOptions()];
    for (let at = 0; at < args.length; at++) {
      const arg = args[at]!;
      if (arg === "--") return undefined;
      if (!arg.startsWith("-") || arg === "-") return at;
      const option = options.find((each) => each.flags.includes(arg));
      if (option?.argument !== undefined && !option.argument.optional) at += 1;
    }
    return undefined;
  }

  async #run(args: readonly string[]): Promise<CommandResult<O, A>> {
    if (this.#isAsked(args, HELP)) return this.#answer(this.getHelp());
    if (this.#parent === undefined && this.#version !== undefined && this.#isAsked(args, VERSION)) {
      return this.#answer(`${this.#name} ${this.#version}`);
    }
    const { parseLine, readOperands } = await import("./parse.ts");
    const definitions = [...this.getBaseOptions(), ...this.getGlobalOptions()];
    const types = (name: string) => this.getType(name);
    const { options, operands, literal } = await parseLine(args, definitions, types);
    if (operands.length > 0 && this.#commands.size > 0 && this.#arguments.length === 0) {
      throw await unknownCommand(operands[0]!, this.getCommands().map((each) => each.#name));
    }
    const values = readOperands(operands, this.#arguments, types);
    if (this.#action !== undefined) await this.#action(options, ...values);
    else if (this.#commands.size > 0) this.showHelp();
    return { options: options as O, args: values as A, literal, cmd: this };
  }

  #isAsked(args: readonly string[], option: OptionDefinition): boolean {
    const end = args.indexOf("--");
    return args.slice(0, end < 0 ? undefined : end).some((arg) => option.flags.includes(arg));
  }

  #answer(text: string): CommandResult<O, A> {
    console.log(text);
    if (this.#exitsAfterwards()) Deno.exit(0);
    return { options: {} as O, args: [] as unknown as A, literal: [], cmd: this };
  }

  #exitsAfterwards(): boolean {
    return this.#exits && (this.#parent === undefined || this.#parent.#exitsAfterwards());
  }
}

const HELP = readOption("-h, --help", "Show this help.", {});
const VERSION = readOption("-V, --version", "Show the version.", {});
