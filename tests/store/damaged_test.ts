/** What becomes of state that is JSON still, but not what was written. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { sealed, unsealed } from "../../lib/model/sealed.ts";
import { imageOf, TestProject } from "../support/project.ts";

const DAMAGED = ["null", "{}", "[]", "[null]", "0", '""', '{"schema":1}'];

async function site(): Promise<TestProject> {
  return await TestProject.resident(
    { "site/a": "a" },
    `{ images: {
      site: files({ layers: [{ from: "site", to: "/" }], expect: { files: ["/a"] } }),
      above: files({ base: { image: "site" }, layers: [] }),
    } }`,
  );
}

function damage(project: TestProject, folder: string, text: string): void {
  for (const { name } of Deno.readDirSync(project.path(folder))) {
    project.write({ [`${folder}/${name}`]: text });
  }
}

Deno.test("a sealed object is what was written, or nothing", () => {
  const value = fc.record({ a: fc.jsonValue(), b: fc.string({ unit: "grapheme" }) });
  fc.assert(
    fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flipped) => {
      const bytes = sealed(value);
      assertEquals(unsealed(bytes), JSON.parse(JSON.stringify(value)));
      bytes[at % bytes.length]! ^= flipped;
      assertEquals(unsealed(bytes), undefined);
    }),
  );
  for (const text of DAMAGED) assertEquals(unsealed(new TextEncoder().encode(text)), undefined);
});

Deno.test("trees, listings and records of another shape are as good as none", async () => {
  await using project = await site();
  const before = await project.json(["build"]);
  for (const text of DAMAGED) {
    project.write({ "site/a": text });
    damage(project, ".images/trees", text);
    damage(project, ".images/cache/listings", text);
    assertEquals((await project.statuses("site")).site, "built", text);
    damage(project, ".images/records/images", text);
    project.write({ ".images/last-run.json": text });
    assertEquals((await project.statuses("site")).site, "built", text);
    assertEquals((await project.images("prune", "--dry-run")).code, 0, text);
  }
  project.write({ "site/a": "a", ".images/last-run.json": "null" });
  assertEquals((await project.images("report")).code, 2);
  const after = await project.json(["build"]);
  assertEquals(imageOf(after, "above").key, imageOf(before, "above").key);
});

Deno.test("a record of which a byte was changed is not believed", async () => {
  await using project = await site();
  const before = await project.json(["build"]);
  const [name] = [...Deno.readDirSync(project.path(".images/records/images"))]
    .map(({ name }) => name).filter((name) => name.startsWith("site"));
  const path = `.images/records/images/${name}`;
  const { key } = imageOf(before, "site");
  const text = Deno.readTextFileSync(project.path(path));
  project.write({ [path]: text.replace(key!, `${key![0] === "0" ? "1" : "0"}${key!.slice(1)}`) });
  const after = await project.json(["build"]);
  assertEquals(imageOf(after, "site").status, "built");
  assertEquals(imageOf(after, "site").key, key);
  assertEquals(imageOf(after, "above").status, "cached");
});

Deno.test("an images.lock of another shape is a fault that says where and what to do", async () => {
  await using project = await site();
  for (const text of [...DAMAGED, '{"schema":1,"bases":null}', '{"schema":1,"bases":[]}']) {
    project.write({ "images.lock": text });
    const { code, stderr } = await project.images("build");
    assertEquals(code, 2, text);
    assertMatch(stderr, /images\.lock: Cannot read images\.lock: it has another shape\n/);
    assertStringIncludes(stderr, "next: remove the file and run `images pin`");
  }
});
