/** Stand-in for `@cliffy/command/completions`: scripts that ask the command itself what may follow. */

import { Command } from "./command.ts";

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any, any, any>;

/** `completions bash|zsh|fish`: prints the script of a shell. */
export class CompletionsCommand extends Command<Record<never, never>, []> {
  constructor() {
    super();
    this.description("Generate shell completions.");
    for (const [shell, script] of Object.entries(SCRIPTS)) {
      this.command(
        shell,
        new Command().description(`Generate shell completions for ${shell}.`)
          .action(() => console.log(script(this.#root().getName()))),
      );
    }
    this.command(
      "complete",
      new Command().hidden().arguments("[word...:string]").action(
        async (_options: unknown, ...words: string[]) => {
          const found = await candidates(
            this.#root(),
            words.map((word) => word.replace(/^\./, "")),
          );
          if (found.length > 0) console.log(found.join("\n"));
        },
      ),
    );
  }

  #root(): AnyCommand {
    let above = this.getParent();
    while (above?.getParent() !== undefined) above = above.getParent();
    return above ?? this;
  }
}

/** What may stand in the place of the last word. Errors complete nothing. */
async function candidates(root: AnyCommand, words: readonly string[]): Promise<string[]> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? "";
  let command = root;
  let previous: string | undefined;
  for (const word of before) {
    const below = word.startsWith("-") ? undefined : command.getCommand(word);
    if (below !== undefined) command = below;
    previous = word;
  }
  const options = [...command.getBaseOptions(), ...command.getGlobalOptions()];
  const expecting = options.find((option) =>
    option.argument && option.flags.includes(previous ?? "")
  );
  const all = expecting?.argument !== undefined
    ? await valuesOf(command, expecting.argument.type)
    : current.startsWith("-")
    ? options.filter((option) => !option.settings.hidden).flatMap((option) => option.flags)
    : [
      ...command.getCommands().map((each) => each.getName()),
      ...(await Promise.all(command.getArguments().map(({ type }) => valuesOf(command, type))))
        .flat(),
    ];
  return [...new Set(all)].filter((each) => each.startsWith(current));
}

async function valuesOf(command: AnyCommand, type: string): Promise<readonly string[]> {
  try {
    const complete = command.getCompletion(type);
    if (complete !== undefined) return await complete();
    return (command.getType(type)?.values?.() ?? []).map(String);
  } catch {
    return [];
  }
}

/** Words are handed over with a dot in front, so that an empty last word is not lost. */
const SCRIPTS: Record<string, (name: string) => string> = {
  bash: (name) =>
    `_${name}_complete() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=($(${name} completions complete "\${words[@]/#/.}" 2>/dev/null))
}
complete -o default -F _${name}_complete ${name}`,
  zsh: (name) =>
    `#compdef ${name}
_${name}() {
  local -a found
  found=(\${(f)"$(${name} completions complete "\${(@)words[2,CURRENT]/#/.}" 2>/dev/null)"})
  compadd -a found || _files
}
compdef _${name} ${name}`,
  fish: (name) =>
    `function __${name}_complete
  set -l words (commandline -opc)[2..] (commandline -ct)
  ${name} completions complete .$words 2>/dev/null
end
complete -c ${name} -f -a "(__${name}_complete)"`,
};
