/** Stand-in for `@cliffy/command/help`. */

import { Command } from "./command.ts";
import { unknownCommand } from "./errors.ts";

/** `help [command]`: shows the help of the command above it, or of one beside it. */
export class HelpCommand extends Command<Record<never, never>, [string?]> {
  constructor() {
    super();
    this.description("Show this help or the help of a command.")
      .arguments("[command:command]")
      .action(async (_options: unknown, name?: string) => {
        const above = this.getParent();
        const command = name === undefined ? above : above?.getCommand(name);
        if (command === undefined) throw await unknownCommand(name ?? "", this.#names());
        command.showHelp();
      });
    this.type("command", {
      parse: ({ value }) => value,
      values: () => this.#names(),
    });
  }

  #names(): string[] {
    return this.getParent()?.getCommands().map((each) => each.getName()) ?? [];
  }
}
