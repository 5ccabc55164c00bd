import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Drift } from "../../lib/run/drift.ts";
import { TestProject } from "../support/project.ts";

const SITE = (expect: string) =>
  `{
  images: {
    site: files({ layers: [{ from: "site", to: "/srv" }], expect: ${expect} }),
    other: files({ layers: [{ from: "other", to: "/srv" }] }),
  },
}`;

async function site(expect: string): Promise<TestProject> {
  const project = await TestProject.create({ "site/index.html": "<h1>\n", "other/a": "a" });
  project.define(SITE(expect));
  return project;
}

Deno.test("check verifies what is expected, also where it was built before that was said", async () => {
  await using project = await site(`{ files: ["/srv/index.html"], env: {}, maxLayers: 1 }`);
  const good = await project.images("check");
  assertEquals(good.code, 0, good.stderr);
  assertStringIncludes(good.stdout, "site   2 expectations met");
  assertStringIncludes(good.stdout, "other  nothing is expected of it");
  project.define(SITE(`{ files: ["/srv/missing"], maxLayers: 1 }`));
  const bad = await project.images("check", "--json");
  assertEquals(bad.code, 1);
  const { ok, images, checks } = JSON.parse(bad.stdout);
  assertEquals(ok, false);
  assertEquals(checks, [
    { id: "site", expectations: 2, met: false },
    { id: "other", expectations: 0, met: true },
  ]);
  assertStringIncludes(images[0].error.message, "/srv/missing is missing");
});

/** A file of the date, to the nanosecond, beside one that is always the same. */
const STAMPED = `{
  tasks: {
    stamp: task({
      inputs: [],
      outputs: ["out/**"],
      run: ["sh", "-c", "mkdir -p out; date +%N > out/when; echo same > out/fixed"],
    }),
  },
  images: {
    fixed: files({ layers: [{ from: "site", to: "/srv" }] }),
    stamped: files({
      base: { image: "fixed" },
      needs: ["stamp"],
      layers: [{ from: "out", to: "/out" }],
    }),
  },
}`;

Deno.test("check --rebuild names the task, the layer and the file that drift", async () => {
  await using project = await TestProject.create({ "site/index.html": "<h1>\n" });
  project.define(STAMPED);
  await project.statuses();
  const records = Deno.readTextFileSync(project.path(".images/oci/index.json"));
  const { code, stdout, stderr } = await project.images("check", "--rebuild", "--json");
  assertEquals(code, 1, stderr);
  const drifts: Drift[] = JSON.parse(stdout).drifts;
  const told = Object.fromEntries(drifts.map((each) => [each.id, {
    same: each.same,
    because: each.because,
    outputs: each.outputs.map(({ path, what }) => [path, what]),
    layers: each.layers.map(({ layer, files }) => [
      layer,
      files.map(({ path, what }) => [path, what]),
    ]),
  }]));
  assertEquals(told, {
    fixed: { same: true, because: [], outputs: [], layers: [] },
    stamp: { same: false, because: [], outputs: [["out/when", ["content"]]], layers: [] },
    stamped: {
      same: false,
      because: ["stamp"],
      outputs: [],
      layers: [[1, [["/out/when", ["content"]]]]],
    },
  });
  // Nothing of the two builds is kept.
  assertEquals(Deno.readTextFileSync(project.path(".images/oci/index.json")), records);
  assertEquals([...Deno.readDirSync(project.path(".images/tmp"))], []);
  assertEquals(await project.statuses(), { fixed: "cached", stamped: "cached" });
});

Deno.test("check --rebuild is content with what comes out the same twice", async () => {
  await using project = await site("{}");
  const { code, stdout, stderr } = await project.images("check", "--rebuild");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "site  the same twice");
  assertStringIncludes(stdout, "other  the same twice");
});

Deno.test("check --rebuild tells of what fails, and where its log is", async () => {
  await using project = await TestProject.create();
  project.define(`{
    tasks: { broken: task({ outputs: ["out/**"], run: ["sh", "-c", "echo words; exit 7"] }) },
    images: { site: files({ needs: ["broken"], layers: [{ from: "out", to: "/" }] }) },
  }`);
  const { code, stdout } = await project.images("check", "--rebuild", "--json");
  assertEquals(code, 1);
  const { drifts, tasks } = JSON.parse(stdout);
  assertEquals(drifts, []);
  assertEquals(tasks[0].error.log, project.path(".images/logs/broken.log"));
  assertEquals(Deno.readTextFileSync(tasks[0].error.log), "words\n");
  assertEquals([...Deno.readDirSync(project.path(".images/tmp"))], []);
});

Deno.test("check says of each failure once what, where and what to do", async () => {
  await using project = await site("{}");
  await project.statuses();
  project.define(`{
    images: {
      site: files({ layers: [{ from: "site", to: "/srv" }], expect: { files: ["/zz"] } }),
      other: files({ layers: [{ from: "missing", to: "/srv" }] }),
    },
  }`);
  const { code, stdout, stderr } = await project.images("check");
  assertEquals(code, 1);
  assertMatch(stdout, /^✗ site +images\.ts:\d+:\d+: .*\/zz is missing.*\n {2}next: correct the/m);
  assertMatch(stdout, /^✗ other +failed$/m);
  assertEquals(stderr.match(/There is nothing at "missing"/g)?.length, 1, stderr);
  assertStringIncludes(stderr, "other  next: correct `from`");
  const again = await project.images("check", "other", "--rebuild");
  assertEquals([again.code, again.stdout], [1, ""]);
  assertStringIncludes(again.stderr, "other  next: correct `from`");
});
