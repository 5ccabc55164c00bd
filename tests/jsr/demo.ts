/** A small program that uses what this project uses of `@cliffy/command`. */

import { type ArgumentValue, Command, EnumType, Type, ValidationError } from "@cliffy/command";
import { HelpCommand } from "@cliffy/command/help";

class EvenType extends Type<number> {
  parse({ label, name, value }: ArgumentValue): number {
    if (Number(value) % 2 === 0) return Number(value);
    throw new ValidationError(`${label} "${name}" is not even: ${value}`, { exitCode: 3 });
  }
}

class TargetType extends Type<string> {
  parse({ value }: ArgumentValue): string {
    return value;
  }
}

/** The options and types of all its commands. */
function root() {
  return new Command()
    .name("demo")
    .version("1.2.3")
    .description("Shows how it goes.\nWith more to say.")
    .throwErrors()
    .noExit()
    .globalType("mode", new EnumType(["auto", "plain"]))
    .globalType("even", new EvenType())
    .globalType("target", new TargetType())
    .globalOption("--file <path:file>", "Where it is declared.", { default: "demo.ts" })
    .globalOption("-j, --jobs <n:integer>", "Most at once.")
    .globalOption("--even <n:even>", "A type of its own.")
    .globalOption("--arg <pair:string>", "NAME=VALUE.", { collect: true })
    .globalOption("--remote", "Ask.")
    .globalOption("--no-remote", "Do not ask.")
    .globalOption("--mode <mode:mode>", "How it is shown.")
    .globalOption("-q, --quiet", "Say little.")
    .globalOption("--no-color", "Use no colour.");
}

type Root = ReturnType<typeof root>;

/** Options of all commands, as types see them. */
// deno-lint-ignore no-explicit-any
export type Globals = Root extends Command<any, any, any, any, infer G> ? G : never;

type Types =
  // deno-lint-ignore no-explicit-any
  Root extends Command<any, any, any, any, any, any, infer T> ? T : never;

/** The program; `said` is told the options and arguments of what was run. */
export function demo(said: (options: unknown, ...args: unknown[]) => void = () => {}) {
  const verb = (text: string) => new Command<Globals, Types>().description(text);
  const above = root();
  const commands = {
    build: verb("Build it.").arguments("[target...:target]")
      .option("--all", "Everything.")
      .option("--tag <tag:string>", "A tag.", { collect: true })
      .option("--depth [n:number]", "How deep.")
      .example("demo build app", "one of them")
      .example("demo build --all", "all of them")
      .action((options, ...targets) => said(options, ...targets)),
    why: verb("Say why.").arguments("<target:target>")
      .action((options, target) => said(options, target)),
    diff: verb("Compare.").arguments("<before:string> [after:string]")
      .action((options, before, after) => said(options, before, after)),
    list: verb("List them.").action((options) => said(options)),
    export: verb("Hand it on.").arguments("<target:target>")
      .option("--to <destination:string>", "Where to.", { required: true })
      .type("format", new EnumType(["oci", "docker"]))
      .option("--format <format:format>", "As what.", { default: "oci" as const })
      .action((options, target) => said(options, target)),
    help: new HelpCommand(),
  };
  for (const [name, command] of Object.entries(commands)) above.command(name, command);
  return above;
}
