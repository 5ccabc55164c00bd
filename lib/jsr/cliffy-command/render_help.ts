/** Help as text: tables in the original's layout. */

import type { Command } from "./command.ts";
import { type ArgumentDefinition, type OptionDefinition, usageOf } from "./definition.ts";

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any, any, any, any, any, any, any, any>;

/** Of a column: the room after it, and the most that it takes, in characters. */
type Column = readonly [room: number, most: number];

type Row = readonly string[];

/** Renders a command's help. */
export function renderHelp(command: AnyCommand): string {
  const version = command.getVersion();
  const description = command.getDescription();
  const head = [
    ["Usage:", `${command.getPath()} ${command.getUsage().replace(/:[\w-]+(?=[\]>])/g, "")}`],
    ...(version === undefined ? [] : [["Version:", version]]),
  ];
  return [
    `\n${table(head, [[1, 140], [0, 140]], "")}`,
    section("Description", description === "" ? [] : [[description.trim()]], [[0, 140]]),
    section("Options", command.getOptions().map((option) => optionRow(command, option)), WIDE),
    section("Commands", command.getCommands().map(commandRow), WIDE),
    section(
      "Examples",
      command.getExamples().map(({ name, description }) => [name, description]),
      [[1, 150], [0, 150]],
    ),
  ].join("");
}

/** Names, arguments, a dash, a description and hints. */
const WIDE: readonly Column[] = [[2, 60], [2, 60], [1, 1], [2, 80], [0, 60]];

function argumentOf(argument: ArgumentDefinition | undefined): string {
  return argument === undefined ? "" : usageOf(argument);
}

function optionRow(command: AnyCommand, option: OptionDefinition): Row {
  const { flags, args: [argument], description, settings } = option;
  const values = argument === undefined
    ? undefined
    : command.getType(argument.type)?.handler.values?.(command, command.getParent());
  const hints = [
    ...(settings.required ? ["required"] : []),
    ...(settings.default === undefined ? [] : [`Default: ${Deno.inspect(settings.default)}`]),
    ...(values === undefined
      ? []
      : [`Values: ${values.map((each) => Deno.inspect(each)).join(", ")}`]),
  ];
  const shown = hints.length === 0 ? "" : `(${hints.join(", ")})`;
  return [flags.join(", "), argumentOf(argument), "-", firstLine(description), shown];
}

function commandRow(command: AnyCommand): Row {
  const usage = command.getArguments().map(usageOf).join(" ");
  return [command.getName(), usage, "-", firstLine(command.getDescription())];
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]!.trim();
}

function section(title: string, rows: readonly Row[], columns: readonly Column[]): string {
  if (rows.length === 0) return "";
  return `\n${bold(`${title}:`)}\n\n${table(rows, columns, "  ")}`;
}

/** Rows as lines; a column of which no row has anything takes no room. */
function table(rows: readonly Row[], columns: readonly Column[], indent: string): string {
  const cells = rows.map((row) => columns.map(([, most], at) => wrapped(row[at] ?? "", most)));
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => widthOf(row[at]!))));
  const lines = cells.flatMap((row) => {
    const height = Math.max(...row.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) =>
      indent + columns.map(([room], at) => {
        const text = row[at]![line] ?? "";
        const end = widths[at] === 0 ? 0 : widths[at]! + room;
        const shown = at === 0 && indent === "" ? bold(text) : text;
        return shown + " ".repeat(Math.max(0, end - text.length));
      }).join("").trimEnd());
  });
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function widthOf(lines: readonly string[]): number {
  return Math.max(0, ...lines.map((line) => line.length));
}

/** A text in lines that are no longer than this, but for a word that is. */
function wrapped(text: string, most: number): string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    for (const word of line.split(" ")) {
      const last = lines.at(-1);
      if (last === undefined || last.length + 1 + word.length > most) {
        lines.push(word);
      } else lines[lines.length - 1] = `${last} ${word}`;
    }
    return lines;
  });
}

function bold(text: string): string {
  return Deno.noColor || !Deno.stdout.isTerminal() ? text : `\x1b[1m${text}\x1b[22m`;
}
