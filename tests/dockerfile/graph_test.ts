/** Dockerfiles through the command line: a graph of them, what is skipped, what fails. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";

const LEAVES = ["leaf1", "leaf2", "leaf3", "leaf4"];

/** A base, two middles on it, two leaves on each. */
async function graph(): Promise<TestProject> {
  const files: Record<string, string> = {
    "base/Dockerfile":
      "FROM scratch AS all\nCOPY . /all\nFROM scratch\nCOPY --from=all /all/used /used\n",
    "base/used": "1",
    "base/unused": "1",
    "notes.md": "1",
  };
  const images = ['base: dockerfile({ context: "base" })'];
  const add = (name: string, on: string) => {
    files[`${name}/Dockerfile`] = `FROM ${on}\nCOPY ${name} /${name}\nCMD ["/${name}"]\n`;
    files[`${name}/${name}`] = name;
    files[`${name}/.dockerignore`] = "*.log\n";
    images.push(
      `${name}: dockerfile({ context: "${name}", contexts: { ${on}: { image: "${on}" } } })`,
    );
  };
  for (const [at, name] of ["middle1", "middle2"].entries()) {
    add(name, "base");
    for (const leaf of LEAVES.slice(at * 2, at * 2 + 2)) add(leaf, name);
  }
  const project = await TestProject.create(files);
  project.define(`{ images: { ${images.join(", ")} } }`);
  return project;
}

Deno.test("images build builds a graph of Dockerfiles in order, and no more than has changed", async () => {
  await using project = await graph();
  const all = ["base", "middle1", "middle2", ...LEAVES];
  const statuses = (built: readonly string[]) =>
    Object.fromEntries(all.map((name) => [name, built.includes(name) ? "built" : "cached"]));
  assertEquals(await project.statuses("--all"), statuses(all));
  assertEquals(await project.statuses("--all"), statuses([]));
  project.write({ "notes.md": "2", "leaf1/debug.log": "2", "leaf1/other": "2" });
  assertEquals(await project.statuses("--all"), statuses([]));
  project.write({ "leaf3/leaf3": "2" });
  assertEquals(await project.statuses("--all"), statuses(["leaf3"]));
  project.write({ "middle1/middle1": "2" });
  assertEquals(await project.statuses("--all"), statuses(["middle1", "leaf1", "leaf2"]));
  // The base's inputs have changed, its image has not: nothing that stands on it is built.
  project.write({ "base/unused": "2" });
  assertEquals(await project.statuses("--all"), statuses(["base"]));
  project.write({ "base/used": "2" });
  assertEquals(await project.statuses("--all"), statuses(all));
});

Deno.test("images build copies what a needed task makes", async () => {
  await using project = await TestProject.create({
    "Dockerfile": "FROM scratch\nCOPY dist /dist\n",
    "src/a": "1",
  });
  project.define(`{
    tasks: { bundle: task({
      inputs: ["src/**"],
      outputs: ["dist/**"],
      run: ["sh", "-c", "mkdir -p dist && cat src/a src/a > dist/twice"],
    }) },
    images: { app: dockerfile({ needs: ["bundle"], expect: { files: ["/dist/twice"] } }) },
  }`);
  assertEquals(await project.statuses("app"), { app: "built" });
  assertEquals(await project.statuses("app"), { app: "cached" });
  project.write({ "src/a": "2" });
  assertEquals(await project.statuses("app"), { app: "built" });
});

Deno.test("images build shows the line of a Dockerfile that is wrong, and leaves no record", async () => {
  await using project = await TestProject.create({ "Dockerfile": "FROM scratch\nCOPY nope /\n" });
  project.define("{ images: { app: dockerfile() } }");
  const failed = await project.images("build", "app");
  assertEquals(failed.code, 1);
  assertMatch(failed.stderr, /Dockerfile:2:6: nope is not in the build context/);
  assertStringIncludes(failed.stderr, "next: create it");
  project.write({ "nope": "now" });
  const document = await project.json(["build", "app"]);
  assertEquals(imageOf(document, "app").reasons.map(({ kind }) => kind), ["first-build"]);
});

Deno.test("images plan names what changed in a Dockerfile, its files and its arguments", async () => {
  await using project = await TestProject.create({
    "Dockerfile": "FROM scratch\nARG V=1\nLABEL v=$V\nCOPY a /a\n",
    "a": "1",
  });
  project.define("{ images: { app: dockerfile() } }");
  await project.json(["build", "app"]);
  const kinds = async (...args: string[]) =>
    imageOf(await project.json(["plan", "app", ...args]), "app").reasons.map(({ kind, path }) =>
      path === undefined ? kind : `${kind} ${path}`
    );
  assertEquals(await kinds(), []);
  assertEquals((await kinds("--arg", "V=2"))[0]?.split(" ")[0], "option-changed");
  assertEquals(await kinds("--arg", "UNUSED=2"), []);
  project.write({ "a": "2" });
  assertEquals(await kinds(), ["input-changed a"]);
});
