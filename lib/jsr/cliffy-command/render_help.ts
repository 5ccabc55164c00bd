/** Help as text, at most 80 columns wide. */

import { type OptionDefinition, usageOf } from "./definition.ts";
import type { Command } from "./command.ts";

const WIDTH = 80;

/** The widest first column; what is wider pushes its description to the next line. */
const COLUMN = 28;

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any, any, any>;

/** Renders a command's help. */
export function renderHelp(command: AnyCommand): string {
  const commands = command.getCommands();
  const sections = [
    `${bold("Usage:")} ${usageLine(command)}`,
    ...(command.getDescription() === "" ? [] : [wrap(command.getDescription(), 0)]),
    section("Commands:", commands.map((each) => [each.getName(), each.getDescription()])),
    section("Options:", shown(command.getBaseOptions())),
    section("Options of all commands:", shown(command.getGlobalOptions())),
    section("Examples:", command.getExamples().map(({ name, description }) => [description, name])),
  ];
  return sections.filter((text) => text !== "").join("\n\n");
}

function usageLine(command: AnyCommand): string {
  const usage = command.getUsage() ?? command.getArguments().map(usageOf).join(" ");
  const below = command.getCommands().length > 0 ? "<command>" : "";
  return [command.getPath(), below, usage, "[options]"].filter((part) => part !== "").join(" ");
}

function shown(options: readonly OptionDefinition[]): [string, string][] {
  return options.filter((option) => !option.settings.hidden).map((option) => {
    const short = option.flags.some((flag) => !flag.startsWith("--")) ? "" : "    ";
    const { default: value } = option.settings;
    const note = value === undefined ? "" : ` (default: ${value})`;
    return [
      `${short}${option.flags.join(", ")} ${option.usage}`.trimEnd(),
      `${option.description}${note}`,
    ];
  });
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const width = Math.min(COLUMN, Math.max(...rows.map(([first = ""]) => first.length)));
  const lines = rows.map(([first = "", second = ""]) => {
    const text = wrap(second, width + 4);
    return first.length <= width
      ? `  ${first.padEnd(width)}  ${text}`
      : `  ${first}\n${" ".repeat(width + 4)}${text}`;
  });
  return `${bold(title)}\n${lines.join("\n").replace(/ +$/gm, "")}`;
}

function wrap(text: string, indent: number): string {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}

function bold(text: string): string {
  return Deno.noColor || !Deno.stdout.isTerminal() ? text : `\x1b[1m${text}\x1b[0m`;
}
