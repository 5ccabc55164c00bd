import { assertEquals, assertStringIncludes } from "@std/assert";
import { imageOf } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";
import { flakeOf, FlakeProject, SYSTEM } from "./rig.ts";

const ONE = `{ images: { one: nix2container({ installable: ".#one" }) } }`;

/** A flake whose image has this text, a Nix expression. */
function textIs(expression: string): string {
  return flakeOf(`{
    packages.${SYSTEM}.one = image { name = "one"; text = ${expression}; };
  }`);
}

async function commit(flake: FlakeProject, ...more: string[]): Promise<void> {
  await flake.git("commit", "-q", "-m", "another", ...more);
}

toolTest(["nix", "git"], "what the commit decides is evaluated with every commit", async (t) => {
  await t.step("by the name of what tells all of it", async () => {
    await using flake = await FlakeProject.create({
      "flake.nix": textIs(`builtins.toJSON (removeAttrs self.sourceInfo [ "outPath" ])`),
    }, ONE);
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    await commit(flake, "--allow-empty");
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    assertEquals(await flake.builds({ one: "cached" }), []);
  });
  await t.step("on another branch too", async () => {
    await using flake = await FlakeProject.create({
      "flake.nix": textIs(`self.rev or "none"`),
    }, ONE);
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    await flake.git("checkout", "-q", "-b", "other");
    assertEquals(await flake.builds({ one: "cached" }), ["eval"]);
    await commit(flake, "--allow-empty");
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
  });
  await t.step("by attributes that fill in a file", async () => {
    await using flake = await FlakeProject.create({
      "flake.nix": textIs("builtins.readFile ./archival.txt"),
      "archival.txt": "$Format:%H$\n",
      ".gitattributes": "archival.txt export-subst\n",
    }, ONE);
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    await commit(flake, "--allow-empty");
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    assertEquals(await flake.builds({ one: "cached" }), []);
  });
  await t.step("by attributes that leave a file out", async () => {
    await using flake = await FlakeProject.create({
      "flake.nix": textIs(`if builtins.pathExists ./left/out then "there" else "left out"`),
      "left/out": "",
    }, ONE);
    const { project } = flake;
    project.write({ "left/.gitattributes": "out export-ignore\n" });
    await flake.git("add", "left");
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    await commit(flake);
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
  });
  await t.step("by a word that the index does not hold yet", async () => {
    await using flake = await FlakeProject.create({ "flake.nix": textIs(`"1"`) }, ONE);
    const { project } = flake;
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    project.write({ "flake.nix": textIs("toString self.lastModified") });
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    assertEquals(await flake.builds({ one: "cached" }), []);
    await commit(flake, "--allow-empty", "--date=@1000000000");
    assertEquals((await flake.started(() => project.statuses()))[0], "eval");
    project.write({ "flake.nix": textIs(`"1"`) });
    await project.statuses();
    await commit(flake, "--allow-empty");
    assertEquals(await flake.builds({ one: "cached" }), []);
  });
});

toolTest(
  ["nix", "git"],
  "a file that the checkout leaves out counts as it is committed",
  async () => {
    await using flake = await FlakeProject.create({
      "flake.nix": textIs("import ./lib/text.nix"),
      "lib/text.nix": `"1"`,
      "other/x": "",
    }, ONE);
    const { project } = flake;
    await flake.git("branch", "next");
    await flake.git("checkout", "-q", "next");
    project.write({ "lib/text.nix": `"2"` });
    await commit(flake, "-a");
    await flake.git("checkout", "-q", "main");
    await flake.git("sparse-checkout", "set", "--cone", "other");
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    assertEquals(await flake.builds({ one: "cached" }), []);
    await flake.git("merge", "-q", "--ff-only", "next");
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
  },
);

toolTest(["nix", "git"], "--force evaluates what it builds", async () => {
  await using flake = await FlakeProject.create({ "flake.nix": textIs(`"1"`) }, ONE);
  assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
  const started = await flake.started(() => flake.project.json(["build", "--force"]));
  assertEquals(started, ["eval", "build"]);
  assertEquals(await flake.builds({ one: "cached" }), []);
});

toolTest(["nix", "git"], "submodules count where the flake is evaluated with them", async () => {
  await using flake = await FlakeProject.create({
    "flake.nix": textIs("builtins.readFile ./sub/deep/t.txt"),
    "sub/deep/t.txt": "1",
  }, "{}");
  const { project } = flake;
  await flake.git("rm", "-q", "--cached", "-r", "sub");
  for (const [outer, inner] of [["sub", "deep"], [".", "sub"]]) {
    const folder = `${outer}/${inner}`;
    await flake.git("-C", folder, "init", "-q");
    await flake.git("-C", folder, "add", ".");
    await flake.git("-C", folder, "commit", "-q", "-m", "first");
    if (outer !== ".") await flake.git("-C", outer!, "init", "-q");
    await flake.git("-C", outer!, "submodule", "--quiet", "add", "./elsewhere", inner!);
  }
  project.define(ONE);
  const { error } = imageOf(await project.json(["build"], 1), "one");
  assertStringIncludes(error?.message ?? "", "does not see the submodule sub by itself");
  project.define(`{ images: { one: nix2container({ installable: ".?submodules=1#one" }) } }`);
  assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
  assertEquals(await flake.builds({ one: "cached" }), []);
  project.write({ "sub/deep/t.txt": "2" });
  const { status, reasons } = imageOf(await project.json(["build"]), "one");
  assertEquals([status, reasons], ["built", [{ kind: "input-changed", path: "sub/deep/t.txt" }]]);
  // Without changes of its own, Nix reads the submodules' commits that it names.
  await flake.git("-C", "sub/deep", "commit", "-q", "-a", "-m", "second");
  assertEquals(await flake.builds({ one: "cached" }), ["eval"]);
  assertEquals(await flake.builds({ one: "cached" }), []);
  project.write({ "sub/deep/untracked": "" });
  assertEquals(await flake.builds({ one: "cached" }), []);
});
