/** Inputs of which only a part counts: what is built again for a change of them, and what is not. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { randomFrom } from "../support/random.ts";
import { imageOf, TestProject } from "../support/project.ts";
import { full } from "../support/tools.ts";
import {
  installedFor,
  type LockfileWriter,
  type Workspace,
  WRITERS,
} from "../support/workspaces.ts";

const MEMBERS = ["api", "docs", "web"];

/** A workspace in which each member has a package of its own, and one of all. */
function workspaceOf(versions: Readonly<Record<string, number>>): Workspace {
  const version = (name: string) => `1.${versions[name] ?? 0}.0`;
  const packages = [...MEMBERS, "all"].map((name) => ({
    name: `lib-${name}`,
    version: version(name),
    integrity: `sha512-${name}${version(name)}`,
    dependencies: [],
  }));
  return {
    members: MEMBERS.map((name) => ({
      name,
      dependencies: [`lib-${name}@${version(name)}`, `lib-all@${version("all")}`],
      members: [],
    })),
    packages,
    settings: {},
  };
}

/** Images that are each built from a task, which takes in what one member has installed. */
function definition({ file, workspace }: LockfileWriter): string {
  const tasks = MEMBERS.map((name) =>
    `"${name}-deps": task({ inputs: [lockfile("${file}", { workspace: "${workspace(name)}" })],
      outputs: ["out/${name}/**"],
      run: ["sh", "-c", "mkdir -p out/${name}; cp ${file} out/${name}/lock"] }),`
  );
  const images = MEMBERS.map((name) =>
    `${name}: files({ needs: ["${name}-deps"], layers: [{ from: "out/${name}", to: "/" }] }),`
  );
  return `{ tasks: { ${tasks.join("\n")} }, images: { ${images.join("\n")} } }`;
}

function define(project: TestProject, body: string): void {
  project.write({
    "images.ts": `import { define, json, lockfile, task } from "images";
import { dockerfile, files, nix2container, rulesImg } from "images/plugins";
void [json, lockfile, task, dockerfile, files, nix2container, rulesImg];
export default define(${body});
`,
  });
}

/** Names of the images that a build builds. */
async function builtIn(project: TestProject): Promise<string[]> {
  const statuses = await project.statuses();
  return Object.keys(statuses).filter((name) => statuses[name] === "built").sort();
}

for (const name of ["pnpm 9", "npm", "cargo"]) {
  const writer = WRITERS[name]!;
  Deno.test(`a bump in a lock file of ${name} rebuilds the images that use it`, async (t) => {
    await using project = await TestProject.resident();
    const write = (text: string) => project.write({ [writer.file]: text });
    define(project, definition(writer));
    write(writer.write(workspaceOf({})));
    assertEquals(await builtIn(project), MEMBERS);

    await t.step("one, where one uses it, and says which package", async () => {
      write(writer.write(workspaceOf({ web: 1 })));
      const plan = await project.json(["plan", "web..."]);
      const detail = "lib-web 1.0.0 → 1.1.0";
      assertEquals(plan.tasks[0]!.reasons, [{ kind: "input-changed", path: writer.file, detail }]);
      const { stdout, stderr } = await project.images("why", "web");
      assertStringIncludes(stdout + stderr, detail);
      assertEquals(await builtIn(project), ["web"]);
    });
    await t.step("none, for a comment", async () => {
      write(writer.comment(writer.write(workspaceOf({ web: 1 }))));
      assertEquals(await builtIn(project), []);
    });
    await t.step("all, where all use it", async () => {
      write(writer.write(workspaceOf({ web: 1, all: 1 })));
      assertEquals(await builtIn(project), MEMBERS);
    });
    await t.step("just those whose part differs, at random", async () => {
      const seed = 9;
      const random = randomFrom(seed);
      let versions: Record<string, number> = { web: 1, all: 1 };
      let clock = 1;
      for (let round = 0; round < (full ? 200 : 4); round++) {
        const bumped = [...MEMBERS, "all"][Math.floor(random() * 4)]!;
        // Never what it was before: that would be cached.
        const next = { ...versions, [bumped]: ++clock };
        const [before, now] = [workspaceOf(versions), workspaceOf(next)];
        write(writer.write(now));
        const wanted = MEMBERS.filter((member) =>
          installedFor(before, member) !== installedFor(now, member)
        );
        assertEquals(await builtIn(project), wanted, `seed ${seed}, round ${round}`);
        versions = next;
      }
    });
  });
}

Deno.test("a part of a file counts wherever the file is selected, and all of it is built", async () => {
  await using project = await TestProject.resident({
    "app/Dockerfile": "FROM scratch\nCOPY . /app/\n",
    "app/package.json": '{ "dependencies": {}, "scripts": {} }',
    "real.json": '{ "a": 1, "b": 1 }',
  });
  Deno.symlinkSync("real.json", project.path("link.json"));
  define(
    project,
    `{ images: {
      part: dockerfile({ context: "app", inputs: [json("./app/package.json", ["dependencies"])] }),
      whole: dockerfile({ context: "app" }),
      linked: dockerfile({ context: "app", inputs: [json("link.json", ["a"])] }),
    } }`,
  );
  assertEquals(await builtIn(project), ["linked", "part", "whole"]);
  const scripts = '{ "dependencies": {}, "scripts": { "x": "y" } }';
  project.write({ "app/package.json": scripts });
  assertEquals(await builtIn(project), ["linked", "whole"]);
  project.write({ "real.json": '{ "a": 1, "b": 2 }' });
  assertEquals(await builtIn(project), []);
  project.write({ "real.json": '{ "a": 2, "b": 2 }' });
  assertEquals(await builtIn(project), ["linked"]);
  project.write({ "app/package.json": scripts.replace("{}", '{ "x": "1" }') });
  const document = await project.json(["build", "part"]);
  assertEquals(imageOf(document, "part").reasons, [
    { kind: "input-changed", path: "app/package.json", detail: "field dependencies" },
  ]);
  await project.images("build");
  const ids = (await project.json(["build"])).images.map(({ imageId }) => imageId);
  assertEquals(new Set(ids).size, 1);
});

Deno.test("a member of a cargo workspace is found by its folder", async () => {
  const { write } = WRITERS.cargo!;
  const manifest = (name: string) => `[package]\nname = "${name}"\n`;
  await using project = await TestProject.resident({
    "Cargo.lock": write(workspaceOf({})),
    "crates/first/Cargo.toml": manifest("web"),
  });
  define(
    project,
    `{ images: { app: files({ layers: [],
      inputs: [lockfile("Cargo.lock", { workspace: "crates/first" })] }) } }`,
  );
  assertEquals(await builtIn(project), ["app"]);
  project.write({ "Cargo.lock": write(workspaceOf({ api: 1 })) });
  assertEquals(await builtIn(project), []);
  project.write({ "Cargo.lock": write(workspaceOf({ api: 1, web: 1 })) });
  assertEquals(await builtIn(project), ["app"]);
  project.write({ "crates/first/Cargo.toml": manifest("api") });
  assertEquals(await builtIn(project), ["app"]);
  project.write({ "Cargo.lock": write(workspaceOf({ api: 1, web: 2 })) });
  assertEquals(await builtIn(project), []);
  project.write({ "Cargo.lock": write(workspaceOf({ api: 2, web: 2 })) });
  assertEquals(await builtIn(project), ["app"]);
});

Deno.test("people are told where all of a file counts", async () => {
  await using project = await TestProject.resident({ "package.json": "{ }", "Cargo.lock": "{" });
  define(
    project,
    `{ images: { app: files({ layers: [], inputs: [
      json("package.json", ["a"]), lockfile("Cargo.lock", { workspace: "web" })] }) } }`,
  );
  const { stderr } = await project.images("build");
  assertStringIncludes(stderr, "All of Cargo.lock counts in its key: it cannot be read: ");
  assertEquals(stderr.includes("All of package.json"), false);
});

const REFUSED: readonly [string, string, readonly string[]][] = [
  [
    "a lock file of an unknown kind",
    'files({ layers: [], inputs: [lockfile("yarn.lock", { workspace: "a" })] })',
    [
      "a lock file whose parts are not known",
      "pnpm-lock.yaml, package-lock.json, npm-shrinkwrap.json or Cargo.lock",
    ],
  ],
  ["no workspace", 'files({ layers: [], inputs: [lockfile("Cargo.lock", {})] })', [
    "without a workspace",
    'lockfile("Cargo.lock", { workspace: "web" })',
  ]],
  [
    "a workspace outside",
    'files({ layers: [], inputs: [lockfile("pnpm-lock.yaml", { workspace: "../a" })] })',
    [
      "no folder in it",
    ],
  ],
  ["no fields", 'files({ layers: [], inputs: [json("a.json", [])] })', ["names of fields"]],
  ["a file outside", 'files({ layers: [], inputs: [json("../a.json", ["a"])] })', [
    "outside the folder of images.ts",
  ]],
  ["Nix", 'nix2container({ installable: ".#a", inputs: [json("a.json", ["a"])] })', [
    "Nix reads whole files",
    'give "a.json" itself',
  ]],
  ["Bazel", 'rulesImg({ target: "//:a", inputs: [json("a.json", ["a"])] })', [
    "Bazel reads whole files",
  ]],
];

Deno.test("a part of a file is refused where it cannot count", async (t) => {
  await using project = await TestProject.resident();
  for (const [what, recipe, says] of REFUSED) {
    await t.step(what, async () => {
      define(project, `{ images: { app: ${recipe} } }`);
      const { code, stderr } = await project.images("build");
      assertEquals(code, 2, stderr);
      for (const text of says) assertStringIncludes(stderr, text);
      assertStringIncludes(stderr, "images.ts:4:");
    });
  }
});
