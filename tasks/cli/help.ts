/** Help as text, at most 80 columns wide. */

import { wrap } from "../../lib/report/text.ts";
import type { AnyCommand, Option } from "./any_command.ts";

/** What is told of one thing: how it is written, and what it is. */
type Row = readonly [written: string, meaning: string];

const WIDTH = 80;

/** The widest first column; what is wider pushes its meaning to the next line. */
const COLUMN = 28;

/** The help of a command. */
export function helpOf(command: AnyCommand): string {
  const options = command.getOptions();
  const rows = (global: boolean) =>
    options.filter((option) => Boolean(option.global) === global)
      .map((option) => optionRow(command, option));
  const below = command.getCommands();
  const usage = [
    command.getPath(),
    below.length > 0 ? "<verb>" : withoutTypes(command.getUsage()),
    "[options]",
  ].filter((part) => part !== "").join(" ");
  return [
    `${bold("Usage:")} ${usage}`,
    wrap(command.getDescription(), WIDTH).join("\n").replaceAll("\n  ", "\n"),
    section("Verbs", below.map((verb): Row => [verb.getName(), verb.getDescription()])),
    section("Options", rows(false)),
    section("Options of all verbs", rows(true)),
    section("Examples", command.getExamples().map((each): Row => [each.description, each.name])),
  ].filter((text) => text !== "").join("\n\n");
}

/** Drops the types of values: `[target...:target]` is `[target...]`. */
function withoutTypes(usage: string): string {
  return usage.replace(/:[\w-]+(?=[\]>])/g, "");
}

function optionRow(command: AnyCommand, { flags, args: [argument], description }: Option): Row {
  const short = flags.some((flag) => !flag.startsWith("--")) ? "" : "    ";
  const value = argument === undefined ? "" : ` <${argument.name}>`;
  const values = argument === undefined
    ? undefined
    : command.getType(argument.type)?.handler as { values?(...all: unknown[]): unknown[] };
  const words = values?.values?.(command, command.getParent());
  const choice = words === undefined ? "" : ` (${words.join(", ")})`;
  return [`${short}${flags.join(", ")}${value}`, `${description}${choice}`];
}

function section(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const width = Math.min(COLUMN, Math.max(...rows.map(([written]) => written.length)));
  const indent = " ".repeat(width + 4);
  const lines = rows.flatMap(([written, meaning]) => {
    const [first = "", ...rest] = wrap(meaning, WIDTH - indent.length);
    const more = rest.map((line) => indent + line.trimStart());
    return written.length <= width
      ? [`  ${written.padEnd(width)}  ${first}`, ...more]
      : [`  ${written}`, `${indent}${first}`, ...more];
  });
  return [bold(`${title}:`), ...lines].join("\n");
}

function bold(text: string): string {
  return Deno.noColor || !Deno.stdout.isTerminal() ? text : `\x1b[1m${text}\x1b[0m`;
}
