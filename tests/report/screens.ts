/** The command line in a terminal, and screens of it that can be compared. */

import type { SteeredProject } from "../support/steered.ts";
import { Terminal, type TerminalOptions } from "../support/terminal.ts";

/** A screen with every time as `#.# s`, columns kept, and one turning mark. */
export function alike(screen: string): string {
  return screen
    .replace(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/gu, "*")
    .replace(/ {2}(?:[ \d.]{4} ms|[ \d.]{5} s)(?= {2}|$)/gm, "    #.# s")
    .replace(/\d+ ms|\d+\.\d s/g, "#.# s")
    .replace(/(, )?#\.# s last time/g, "")
    .replace(/ +$/gm, "");
}

/** A text as it is written in a test: without the first line break, and indented as it is there. */
export function screen(text: string): string {
  const lines = text.replace(/^\n/, "").replace(/\n *$/, "").split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  return lines.map((line) => line.slice(Math.min(...indents))).join("\n");
}

/** What these tests need. */
export const TOOLS = ["tmux", "mkfifo"];

type Size = Omit<TerminalOptions, "cwd">;

/** Runs the command line in a terminal. */
export function run(
  steered: SteeredProject,
  args: readonly string[],
  size: Size = {},
): Promise<Terminal> {
  const { project } = steered;
  const command = [Deno.execPath(), ...project.commandLine(...args)];
  return Terminal.start(command, { cwd: project.root, ...size });
}

/** Says whether a screen shows all of these, times being alike. */
export function shows(...texts: readonly string[]): (screen: string) => boolean {
  const isThere = (screen: string) => texts.every((text) => alike(screen).includes(text));
  return Object.assign(isThere, { toString: () => texts.join(", ") });
}

/** Lets builds end one after the other, so that the order of their lines is known. */
export async function endInOrder(steered: SteeredProject, terminal: Terminal, ...names: string[]) {
  for (const name of names) {
    await steered.end(name);
    await terminal.until(shows(`✓ ${name}`));
  }
}
