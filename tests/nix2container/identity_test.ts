import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { imageOf } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { flakeOf, FlakeProject, SYSTEM } from "./rig.ts";

const TWO = flakeOf(`{
  packages.${SYSTEM} = {
    one = image { name = "one"; text = builtins.readFile ./one.txt; };
    two = image { name = "two"; };
  };
}`);

const IMAGES = `{ images: {
  one: nix2container({ installable: ".#one" }),
  two: nix2container({ installable: ".#two" }),
} }`;

toolTest(["nix", "git"], "Nix is asked only when what git tracks has changed", async () => {
  await using flake = await FlakeProject.create(
    { "flake.nix": TWO, "one.txt": "1", "other": "" },
    IMAGES,
  );
  const { project } = flake;
  assertEquals(await flake.builds({ one: "built", two: "built" }), ["eval", "build"]);
  assertEquals(await flake.builds({ one: "cached", two: "cached" }), []);
  project.write({ "untracked.txt": "x", "junk/x": "" });
  await runTool(["sh", "-c", "touch \"$0\"/$(printf 'x\\377')", project.root]);
  assertEquals(await flake.builds({ one: "cached", two: "cached" }), []);
  await flake.git("commit", "-q", "--allow-empty", "-m", "nothing");
  assertEquals(await flake.builds({ one: "cached", two: "cached" }), []);
  project.write({ other: "changed" });
  assertEquals(await flake.builds({ one: "cached", two: "cached" }), ["eval"]);
  assertEquals(await flake.builds({ one: "cached", two: "cached" }), []);
  project.write({ "one.txt": "2" });
  const started = await flake.started(async () => {
    const document = await project.json(["build"]);
    const { status, reasons } = imageOf(document, "one");
    assertEquals([status, reasons], ["built", [{ kind: "input-changed", path: "one.txt" }]]);
    assertEquals(imageOf(document, "two").status, "cached");
  });
  assertEquals(started, ["eval", "build"]);
});

toolTest(["nix", "git"], "two clones have one key, whatever is in them besides", async () => {
  const files = { "flake.nix": TWO, "one.txt": "1" };
  await using first = await FlakeProject.create(files, IMAGES);
  await using second = await FlakeProject.create({ ...files, "more.txt": "" }, IMAGES);
  const keyOf = async ({ project }: FlakeProject) =>
    imageOf(await project.json(["plan"]), "one").key;
  const key = await keyOf(first);
  assert(key !== undefined);
  assertEquals(await keyOf(second), key);
});

toolTest(
  ["nix", "git"],
  "a flake that asks for its commit is evaluated with every commit",
  async () => {
    const outputs = `{
    packages.${SYSTEM}.one = image { name = "one"; text = self.rev or "none"; };
  }`;
    await using flake = await FlakeProject.create(
      { "flake.nix": flakeOf(outputs) },
      `{ images: { one: nix2container({ installable: ".#one" }) } }`,
    );
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    assertEquals(await flake.builds({ one: "cached" }), []);
    await flake.git("commit", "-q", "--allow-empty", "-m", "another");
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
  },
);

toolTest(
  ["nix", "git"],
  "what need not evaluate to the same again is evaluated on every run",
  async (t) => {
    await using flake = await FlakeProject.create(
      {
        "flake.nix": flakeOf(`{
        packages.${SYSTEM}.one = image { name = "one"; text = builtins.getEnv "TEXT"; };
      }`),
        "default.nix": `{ two = (import ./library.nix).image { name = "two"; }; }`,
      },
      `{ images: { one: nix2container({ installable: ".#one", args: ["--impure"], hostEnv: ["TEXT"] }) } }`,
    );
    const { project } = flake;
    project.env.TEXT = "a";
    await t.step("--impure, with the recipe's variables", async () => {
      assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
      assertEquals(await flake.builds({ one: "cached" }), ["eval"]);
      project.env.TEXT = "b";
      assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    });
    await t.step("--no-pure-eval, with any variable", async () => {
      project.define(
        `{ images: { one: nix2container({ installable: ".#one", args: ["--no-pure-eval"] }) } }`,
      );
      assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
      assertEquals(await flake.builds({ one: "cached" }), ["eval"]);
      project.env.TEXT = "c";
      assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    });
    await t.step("-f FILE -A ATTRIBUTE", async () => {
      project.define(
        `{ images: { two: nix2container({ installable: "-f default.nix -A two" }) } }`,
      );
      assertEquals(await flake.builds({ two: "built" }), ["eval", "build"]);
      assertEquals(await flake.builds({ two: "cached" }), ["eval"]);
      project.define(`{ images: {
      two: nix2container({ installable: "-f default.nix -A two" }),
      same: nix2container({ installable: "--file ./default.nix two" }),
    } }`);
      assertEquals(await flake.builds({ two: "cached", same: "built" }), ["eval", "eval", "build"]);
    });
  },
);

toolTest(
  ["nix", "git"],
  "an input that is not locked is evaluated each time until it is locked",
  async () => {
    await using flake = await FlakeProject.create(
      {
        "flake.nix": flakeOf(
          `{ packages.${SYSTEM}.one = image { name = "one"; text = inputs.other.text; }; }`,
          `inputs.other.url = "path:./other";`,
        ).replace("path:./other", "path:OTHER"),
      },
      `{ images: { one: nix2container({ installable: ".#one" }) } }`,
    );
    const { project } = flake;
    const other = project.beside("other");
    Deno.mkdirSync(other);
    Deno.writeTextFileSync(`${other}/flake.nix`, `{ outputs = { self }: { text = "1"; }; }`);
    const text = Deno.readTextFileSync(project.path("flake.nix")).replace("OTHER", other);
    project.write({ "flake.nix": text });
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    assertStringIncludes((await project.images("build")).stderr, "does not lock every input");
    Deno.writeTextFileSync(`${other}/flake.nix`, `{ outputs = { self }: { text = "2"; }; }`);
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    assert(!(await runTool(["ls", project.root])).stdout.includes("flake.lock"));
    await runTool(["nix", "flake", "lock"], { cwd: project.root, env: flake.env });
    await flake.builds({ one: "cached" });
    await flake.builds({ one: "cached" });
    assertEquals(await flake.builds({ one: "cached" }), []);
  },
);

toolTest(
  ["nix", "git"],
  "path: flakes and folders without git count with all they hold",
  async () => {
    await using flake = await FlakeProject.create(
      { "flake.nix": TWO, "one.txt": "1" },
      `{ images: { one: nix2container({ installable: "path:.#one" }) } }`,
    );
    const { project } = flake;
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    assertEquals(await flake.builds({ one: "cached" }), []);
    project.write({ "untracked.txt": "x" });
    assertEquals(await flake.builds({ one: "cached" }), ["eval"]);
    await Deno.remove(project.path(".git"), { recursive: true });
    project.define(IMAGES);
    assertEquals(await flake.builds({ one: "built", two: "built" }), ["eval", "build"]);
    assertEquals(await flake.builds({ one: "cached", two: "cached" }), []);
    project.write({ "untracked.txt": "y" });
    assertEquals(await flake.builds({ one: "cached", two: "cached" }), ["eval"]);
    project.write({ "flake.nix": TWO.replace("./one.txt", "./sub/.git/x"), "sub/.git/x": "1" });
    assertEquals(await flake.builds({ one: "cached", two: "cached" }), ["eval"]);
    project.write({ "sub/.git/x": "2" });
    assertEquals(await flake.builds({ one: "built", two: "cached" }), ["eval", "build"]);
  },
);

toolTest(
  ["nix", "git"],
  "a flake in a folder of the repository sees all of the repository",
  async () => {
    await using flake = await FlakeProject.create(
      {
        "sub/flake.nix": TWO.replace("./library.nix", "../library.nix").replace(
          "./one.txt",
          "../one.txt",
        ),
        "one.txt": "1",
      },
      `{ images: { one: nix2container({ installable: "./sub#one" }) } }`,
    );
    const { project } = flake;
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    project.write({ "one.txt": "2" });
    const { reasons } = imageOf(await project.json(["plan"]), "one");
    assertEquals(reasons, [{ kind: "input-changed", path: "one.txt" }]);
  },
);
