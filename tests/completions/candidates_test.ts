import { assert, assertEquals } from "@std/assert";
import { commandLine } from "../../tasks/cli/command_line.ts";
import { candidates, FILES } from "../../tasks/completions/candidates.ts";
import { written } from "../../tasks/completions/shells.ts";
import { TestProject } from "../support/project.ts";

/** What may stand in the place of the last word. */
async function words(...typed: readonly string[]): Promise<readonly string[] | typeof FILES> {
  const found = await candidates(commandLine(() => {}), typed);
  return found === FILES ? FILES : found.map(({ word }) => word);
}

Deno.test("verbs come first, and options wherever they may stand", async () => {
  assertEquals(await words("pr"), ["promote", "prune"]);
  assertEquals(await words("-q", "--jobs", "2", "cl"), ["clean"]);
  assertEquals(await words("help", "wa"), ["watch"]);
  assertEquals(await words("build", "--keep"), ["--keep-going"]);
  assertEquals(await words("--keep"), ["--keep-going"]);
  assertEquals(await words("clean", "--load"), []);
  assertEquals(await words("no-verb", ""), []);
});

Deno.test("values of options are completed in every way they are written", async () => {
  const outputs = ["auto", "terminal", "plain", "github", "gitlab"];
  assertEquals(await words("build", "--output", ""), outputs);
  // Bash parts a word at "=".
  assertEquals(await words("build", "--output", "="), outputs);
  assertEquals(await words("build", "--output", "=", "g"), ["github", "gitlab"]);
  assertEquals(await words("build", "--output=g"), ["--output=github", "--output=gitlab"]);
  assertEquals(await words("report", "--to", ""), FILES);
  assertEquals(await words("report", "--to=dist/"), FILES);
  assertEquals(await words("build", "--tag", ""), []);
});

Deno.test("names are those of the file that is named, each once", async () => {
  await using project = await TestProject.create({ a: "" });
  project.define(`{
    registries: { one: registry("ghcr.io/one"), two: registry("ghcr.io/two") },
    images: { app: files({ layers: [] }), api: files({ layers: [] }) },
    groups: { all: ["app", "api"] },
  }`);
  const file = project.path("images.ts");
  assertEquals(await words("--file", file, "build", "a"), ["app", "api", "all"]);
  assertEquals(await words("build", `--file=${file}`, "app", "a"), ["api", "all"]);
  assertEquals(await words("build", "--file", file, "--", "...ap"), ["...app", "...api"]);
  assertEquals(await words("push", "--file", file, "--to", "t"), ["two"]);
  assertEquals(await words("why", "--file", file, "app", ""), []);
  assertEquals(await words("build", "--file", project.path("none.ts"), ""), []);
  project.write({ "broken.ts": "throw new Error('broken')" });
  assertEquals(await words("build", "--file", project.path("broken.ts"), ""), []);
});

Deno.test("each shell gets what its script reads", async () => {
  const [option] = await candidates(commandLine(() => {}), ["build", "--al"]);
  assert(typeof option === "object");
  assertEquals(written(option, "bash"), "--all");
  assertEquals(written(option, "zsh"), "--all:Every image; a missing tool is then a failure.");
  assertEquals(written(option, "fish"), "--all\tEvery image; a missing tool is then a failure.");
  assertEquals(written({ word: "a:b\\c", description: "d" }, "zsh"), "a\\:b\\\\c:d");
});
