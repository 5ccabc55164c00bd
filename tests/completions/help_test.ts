import { assert, assertEquals, assertMatch } from "@std/assert";
import { commandLine, main } from "../../tasks/cli/command_line.ts";
import { stripVTControlCharacters } from "node:util";
import { TestProject } from "../support/project.ts";

const all = commandLine(() => {});
const verbs = all.getCommands();

/** A word with its last letter twice. */
function misspelt(word: string): string {
  return `${word}${word.at(-1)}`;
}

/** How a command line ends, and what it says. */
async function ended(...args: readonly string[]): Promise<readonly [number, string]> {
  const said: string[] = [];
  const before = console.error;
  console.error = (text: string) => said.push(text);
  try {
    return [await main(args), said.join("\n")];
  } finally {
    console.error = before;
  }
}

Deno.test("the help of every verb fits 80 columns, and has an example", async (t) => {
  for (const command of [all, ...verbs]) {
    await t.step(command.getPath(), () => {
      const help = stripVTControlCharacters(command.getHelp());
      for (const line of help.split("\n")) assert(line.length <= 80, line);
      assertMatch(help, /^Usage: images .*\n\n\S.*\.\n/);
      assertMatch(help, /\nExamples:\n {2}\S/);
    });
  }
});

Deno.test("every verb of the manual has help, and every verb is in the manual", () => {
  const page = new URL("../../tasks/handbook/pages/04-commands.md", import.meta.url);
  const table = Deno.readTextFileSync(page).split("## Options")[0]!;
  const told = [...table.matchAll(/`([a-z]+)(?: [^`]*)?`/g)].map(([, verb]) => verb);
  for (const verb of verbs) assert(told.includes(verb.getName()), verb.getName());
});

Deno.test("a misspelt verb or option is told the right one, with status 2", async (t) => {
  for (const verb of verbs) {
    const name = verb.getName();
    const wrong = misspelt(name);
    await t.step(wrong, async () => {
      const meant = `Unknown command "${wrong}". Did you mean command "${name}"?`;
      assertEquals(await ended(wrong), [2, `${meant}\nnext: see \`images help\``]);
      if (name === "help") return;
      assertEquals(await ended("help", wrong), [2, `${meant}\nnext: see \`images help\``]);
    });
    const flags = verb.getOptions().flatMap((each) => each.flags).filter((flag) =>
      flag.startsWith("--")
    );
    await t.step(`${name} ${flags.length} options`, async () => {
      for (const flag of flags) {
        const [status, said] = await ended(name, `${misspelt(flag)}`);
        assertEquals(status, 2);
        assert(
          said.startsWith(`Unknown option "${misspelt(flag)}". Did you mean option "--`),
          said,
        );
        assert(said.includes(`"${flag}"?`), said);
        assertMatch(
          said,
          new RegExp(`next: see \`images help${name === "help" ? "" : ` ${name}`}\``),
        );
      }
    });
  }
});

Deno.test("letters the other way round are understood in short verbs too", async () => {
  for (
    const [wrong, meant] of [["wyh", "why"], ["pni", "pin"], ["biuld", "build"], ["ls", "list"]]
  ) {
    const [, said] = await ended(wrong!);
    assert(said.startsWith(`Unknown command "${wrong}". Did you mean command "${meant}"?`), said);
  }
});

Deno.test("wrong usage ends with status 2 and says what to do", async () => {
  for (
    const [args, said] of [
      [["why"], "Missing argument(s): target"],
      [["graph", "--format", "tex"], 'Expected values: "text", "mermaid", "dot", "json"'],
      [["build", "-j", "many"], 'must be of type "integer", but got "many"'],
      [["list", "more"], 'No arguments allowed for command "images list".'],
      [["completions", "tcsh"], 'Expected values: "bash", "zsh", "fish"'],
      [["affected"], 'Missing required option "--since"'],
    ] as const
  ) {
    const [status, text] = await ended(...args);
    assertEquals(status, 2, text);
    assert(text.includes(said), text);
    assert(text.endsWith(`next: see \`images help ${args[0]}\``), text);
  }
});

Deno.test("help is asked for in several ways, and goes to standard output", async () => {
  await using project = await TestProject.create();
  const [verb, option, root] = await Promise.all([
    project.images("help", "why"),
    project.images("why", "--help"),
    project.images("help"),
  ]);
  assertEquals([verb.code, verb.stderr], [0, ""]);
  assertEquals(option, verb);
  assertEquals(root.stdout.trimEnd(), all.getHelp().trimEnd());
});
