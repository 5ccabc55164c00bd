import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { ImageComparison } from "../../lib/oci/compare_images.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { TestProject } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";

async function diff(project: TestProject, ...args: string[]): Promise<ImageComparison[]> {
  const { code, stdout, stderr } = await project.images("diff", ...args, "--json");
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout).images;
}

function changes({ files }: ImageComparison): string[] {
  return files.map(({ path, change, what }) => [change, path, ...what].join(" "));
}

Deno.test("diff names the one file that changed between two builds of the dashboard", async () => {
  await using project = await TestProject.create();
  const app = fromFileUrl(new URL("../fixtures/flywheel/app", import.meta.url));
  await runTool(["cp", "-r", app, project.path("app")]);
  project.define(`{
    images: { dashboard: dockerfile({ context: "app", file: "app/Dockerfile.static" }) },
  }`);
  const before = `oci:${project.beside("before")}`;
  assertEquals((await project.images("export", "dashboard", "--to", before)).code, 0);
  project.write({ "app/src/routes/about.md": "# About\nAnother text\n" });
  const [found, ...others] = await diff(project, before, "dashboard");
  assert(found !== undefined);
  assertEquals(others, []);
  assertEquals(changes(found), ["changed /srv/pages/about.md content"]);
  assertEquals(found.config, []);
  assertEquals(found.packages, []);
  assertEquals([found.sharedLayers, found.before.ownLayers, found.after.ownLayers], [1, 1, 1]);
  const { stdout } = await project.images("diff", before, "dashboard");
  assertStringIncludes(stdout, "~ /srv/pages/about.md  content (");
});

Deno.test("diff tells packages and config apart from files", async () => {
  await using project = await TestProject.create({
    "old/lib/apk/db/installed": "P:musl\nV:1.2.4\n\nP:zlib\nV:1.3\n",
    "new/lib/apk/db/installed": "P:musl\nV:1.2.5\n\nP:openssl\nV:3.1\n",
  });
  project.define(`{
    images: {
      old: files({ layers: [{ from: "old", to: "/" }], cmd: ["/a"], env: { A: "1", B: "2" } }),
      now: files({ layers: [{ from: "new", to: "/" }], cmd: ["/b"], env: { A: "1" } }),
    },
  }`);
  const [found] = await diff(project, "old", "now");
  assert(found !== undefined);
  assertEquals(
    found.packages.map(({ name, change, before, after }) => [name, change, before, after]),
    [
      ["musl", "changed", ["1.2.4"], ["1.2.5"]],
      ["openssl", "added", [], ["3.1"]],
      ["zlib", "removed", ["1.3"], []],
    ],
  );
  assertEquals(found.config, [
    { field: "cmd", before: ["/a"], after: ["/b"] },
    { field: "env B", before: "2" },
  ]);
  const { stdout } = await project.images("diff", "old", "now");
  assertStringIncludes(stdout, "~ musl     apk  1.2.4 → 1.2.5");
  assertStringIncludes(stdout, "- env B = 2");
});

Deno.test("diff says when there is nothing to tell", async () => {
  await using project = await TestProject.create({ "site/a": "a" });
  const recipe = `files({ layers: [{ from: "site", to: "/" }] })`;
  project.define(`{ images: { one: ${recipe}, two: ${recipe} } }`);
  const [found] = await diff(project, "one", "two");
  assert(found !== undefined);
  assertEquals([found.same, found.files, found.config], [true, [], []]);
  assertStringIncludes((await project.images("diff", "one", "two")).stdout, "the same image");
});

toolTest(["docker-registry"], "diff of one image compares it with what is published", async () => {
  await using registry = await startLoopbackRegistry();
  await using project = await TestProject.create({ "site/a": "first", "site/b": "b" });
  project.define(`{
    registries: { local: registry("${registry.host}", { compression: "zstd" }) },
    images: { site: files({ layers: [{ from: "site", to: "/srv" }] }) },
  }`);
  const missing = await project.images("diff", "site");
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stderr, `There is no image ${registry.host}/site:latest`);
  assertEquals((await project.images("push", "site", "--tag", "latest", "--tag", "v1")).code, 0);
  assertEquals((await diff(project, "site"))[0]?.same, true);
  project.write({ "site/a": "second", "site/c": "c" });
  const [found] = await diff(project, "site", "--from", "v1");
  assert(found !== undefined);
  assertEquals(found.before.name, `${registry.host}/site:v1`);
  assertEquals(changes(found), ["changed /srv/a content", "added /srv/c"]);
});
