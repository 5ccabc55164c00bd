/** Command lines, in the manner of the original: what they come to, and what is wrong with them. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ValidationError } from "@cliffy/command";
import { stripVTControlCharacters } from "node:util";
import { demo } from "./demo.ts";

const DEFAULTS = { file: "demo.ts", color: true };

/** Words between spaces; `''` is an empty one. */
function wordsOf(line: string): string[] {
  return line.split(" ").filter((word) => word !== "").map((word) => word === "''" ? "" : word);
}

/** What a line prints and comes to. */
async function run(line: string) {
  const printed: string[] = [];
  const said: unknown[][] = [];
  const { log } = console;
  console.log = (...words: unknown[]) => printed.push(words.join(" "));
  try {
    const result = await demo((...told) => said.push(told)).parse(wordsOf(line));
    const text = stripVTControlCharacters(printed.join("\n")).replace(/ +$/gm, "");
    return { ...result, name: result.cmd.getName(), said, text };
  } finally {
    console.log = log;
  }
}

Deno.test("a line comes to a command, its options and arguments", async () => {
  const cases: [string, string, Record<string, unknown>, unknown[]?][] = [
    ["build", "build", {}],
    ["build app base", "build", {}, ["app", "base"]],
    ["build --all app", "build", { all: true }, ["app"]],
    ["-q build app", "build", { quiet: true }, ["app"]],
    ["-j 4 build", "build", { jobs: 4 }],
    ["--jobs=4 build app", "build", { jobs: 4 }, ["app"]],
    ["--file x.ts build", "build", { file: "x.ts" }],
    ["build app --file x.ts", "build", { file: "x.ts" }, ["app"]],
    ["build -j4", "build", { jobs: 4 }],
    ["build -j=4", "build", { jobs: 4 }],
    ["build -qj 4", "build", { quiet: true, jobs: 4 }],
    ["build --jobs -1", "build", { jobs: -1 }],
    ["build --file --all", "build", { file: "--all" }],
    ["build --arg A=1 --arg B=2", "build", { arg: ["A=1", "B=2"] }],
    ["build --tag=a=b", "build", { tag: ["a=b"] }],
    ["build --remote", "build", { remote: true }],
    ["build --no-remote", "build", { remote: false }],
    ["build --no-color", "build", { color: false }],
    ["build --mode plain", "build", { mode: "plain" }],
    ["build --even 4", "build", { even: 4 }],
    ["build --depth", "build", { depth: true }],
    ["build --depth -3", "build", { depth: -3 }],
    ["build --depth --all", "build", { depth: true, all: true }],
    ["build - ''", "build", {}, ["-", ""]],
    ["diff a", "diff", {}, ["a"]],
    ["diff a b", "diff", {}, ["a", "b"]],
    ["export a --to x", "export", { to: "x", format: "oci" }, ["a"]],
    ["export a --to x --format docker", "export", { to: "x", format: "docker" }, ["a"]],
  ];
  for (const [line, command, options, args = []] of cases) {
    const result = await run(line);
    assertEquals(
      [result.name, result.options, result.args, result.literal],
      [command, { ...DEFAULTS, ...options }, args, []],
      line,
    );
    assertEquals(result.said[0]?.slice(0, 1 + args.length), [result.options, ...args], line);
  }
  const { args, literal } = await run("build a -- b --all");
  assertEquals([args, literal], [["a"], ["b", "--all"]]);
  assertEquals((await run("")).said, []);
});

Deno.test("what is wrong with a line is said, with the remedy", async () => {
  const cases: [string, string][] = [
    ["build --jobs x", 'Option "--jobs" must be of type "integer", but got "x".'],
    ["build --jobs 1.5", 'Option "--jobs" must be of type "integer", but got "1.5".'],
    ["build --depth app", 'Option "--depth" must be of type "number", but got "app".'],
    [
      "build --mode fancy",
      'Option "--mode" must be of type "mode", but got "fancy". Expected values: "auto", "plain"',
    ],
    [
      "export a --to x --format tar",
      'Option "--format" must be of type "format", but got "tar". Expected values: "oci", "docker"',
    ],
    ["build --jobs", 'Missing value for option "--jobs".'],
    ["build --mode=", 'Missing value for option "--mode".'],
    ["build --file ''", 'Missing value for option "--file".'],
    ["--file", 'Missing value for option "--file".'],
    ["build --jobs 1 --jobs 2", once("--jobs")],
    ["build -q -q", once("-q")],
    ["build -q --quiet", once("--quiet")],
    ["build --no-color --no-color", once("--color")],
    ["build --remote --no-remote", once("--remote")],
    ["build --quiet=yes", 'Option "--quiet" doesn\'t take a value, but got "yes".'],
    ["build --no-color=x", 'Option "--no-color" doesn\'t take a value, but got "x".'],
    ["--json build", 'Unknown option "--json". Did you mean option "--jobs"?'],
    ["build --alll", 'Unknown option "--alll". Did you mean option "--all"?'],
    ["build --FILE x", 'Unknown option "--FILE". Did you mean option "--file"?'],
    ["build --color", 'Unknown option "--color". Did you mean option "--no-color"?'],
    ["build --zzzzzzzzz", 'Unknown option "--zzzzzzzzz". Did you mean option "--help"?'],
    ["build -x", 'Unknown option "-x". Did you mean option "-h"?'],
    ["build --x", 'Invalid option "--x". Did you mean option "-h"?'],
    ["build --version", 'Unknown option "--version". Did you mean option "--even"?'],
    ["buidl app", 'Unknown command "buidl". Did you mean command "build"?'],
    ["-q nope", 'Unknown command "nope". Did you mean command "why"?'],
    ["help nope", 'Unknown command "nope". Did you mean command "why"?'],
    ["why", "Missing argument(s): target"],
    ["export --to x", "Missing argument(s): target"],
    ["why a b c", "Too many arguments: b c"],
    ["diff a b c", "Too many arguments: c"],
    ["list a", 'No arguments allowed for command "demo list".'],
    ["export a", 'Missing required option "--to".'],
    ["--quiet --help", 'Option "--help" cannot be combined with other options.'],
  ];
  for (const [line, message] of cases) {
    const error = await assertRejects(() => run(line), ValidationError);
    assertEquals([error.message, error.exitCode], [message, 2], line);
  }
  const odd = await assertRejects(() => run("build --even 3"), ValidationError);
  assertEquals([odd.message, odd.exitCode], ['Option "--even" is not even: 3', 3]);
});

function once(option: string): string {
  return `Option "${option}" can only occur once, but was found several times.`;
}

const BUILD_HELP = `
Usage:   demo build [target...]
Version: 1.2.3

Description:

  Build it.

Options:

  -h, --help           - Show this help.
  --file       <path>  - Where it is declared.  (Default: "demo.ts")
  -j, --jobs   <n>     - Most at once.
  --even       <n>     - A type of its own.
  --arg        <pair>  - NAME=VALUE.
  --remote             - Ask.
  --no-remote          - Do not ask.
  --mode       <mode>  - How it is shown.       (Values: "auto", "plain")
  -q, --quiet          - Say little.
  --no-color           - Use no colour.
  --all                - Everything.
  --tag        <tag>   - A tag.
  --depth      [n]     - How deep.

Examples:

  demo build app   one of them
  demo build --all all of them
`;

Deno.test("help is laid out in tables", async () => {
  for (const line of ["build --help", "build -h", "build app --help", "help build"]) {
    assertEquals((await run(line)).text, BUILD_HELP, line);
  }
  const { text } = await run("--help");
  assertEquals((await run("help")).text, text);
  for (
    const part of [
      "\nUsage:   demo\nVersion: 1.2.3\n\nDescription:\n\n  Shows how it goes.\n  With more to say.\n",
      "\n  -V, --version          - Show the version number for this program.\n",
      "\n  build   [target...]       - Build it.\n",
      "\n  diff    <before> [after]  - Compare.\n",
      "\n  list                      - List them.\n",
    ]
  ) assert(text.includes(part), part);

  const required = (await run("export --help")).text;
  assertMatch(required, /^\nUsage: {3}demo export <target> --to <destination>\n/);
  assertMatch(required, / - Where to\. +\(required\)\n/);
  assertMatch(required, / - As what\. +\(Default: "oci", Values: "oci", "docker"\)\n/);
  assertMatch((await run("help -h")).text, /Options:\n\n {2}-h, --help {2}- Show this help\.\n$/);
});

Deno.test("the version is printed, the name with it where it is asked for in full", async () => {
  assertEquals((await run("-V")).text, "1.2.3");
  assertEquals((await run("--version")).text, "demo 1.2.3");
});
