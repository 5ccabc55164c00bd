/** Stand-in for `@cliffy/command/help`. */

import { Command, unknownCommand } from "./command.ts";
import { StringType } from "./values.ts";

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any, any, any, any, any, any, any, any>;

/** `help [command]`: shows the help of the command above it, or of one beside it. */
export class HelpCommand extends Command<void, void, void, [string?]> {
  constructor() {
    super();
    this.type("command", new CommandType())
      .arguments("[command:command]")
      .description("Show this help or the help of a sub-command.")
      .noGlobals()
      .action(async (_options: unknown, name?: string) => {
        const above = this.getParent() as AnyCommand | undefined;
        const command = name === undefined ? above : above?.getCommand(name);
        if (command === undefined) throw await unknownCommand(name ?? "", above, this);
        command.showHelp();
      });
  }
}

/** The names of commands beside it. */
class CommandType extends StringType {
  override complete(_cmd: AnyCommand, parent?: AnyCommand): string[] {
    return parent?.getCommands().map((command) => command.getName()) ?? [];
  }
}
