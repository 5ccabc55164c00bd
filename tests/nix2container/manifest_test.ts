import { assertEquals } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";

/** Only from another one can an image of the same labels be told. */
function describing(text: string): string {
  return JSON.stringify({
    version: 1,
    "image-config": { Labels: { text } },
    layers: null,
    arch: "",
    created: null,
  });
}

Deno.test("an image.json counts wherever the links of its path lead", async (t) => {
  const ways: Readonly<Record<string, { links: Record<string, string>; manifest: string }>> = {
    "a link to the file": { links: { "image.json": "b/image.json" }, manifest: "image.json" },
    "a folder that is a link": { links: { res: "b" }, manifest: "./res/image.json" },
    "links to links": {
      links: { "image.json": "now/../now/image.json", now: "later", later: "b" },
      manifest: "image.json",
    },
    "no link": { links: {}, manifest: "b/image.json" },
    "a link out of the project": { links: { res: "../outside" }, manifest: "res/image.json" },
  };
  for (const [way, { links, manifest }] of Object.entries(ways)) {
    await t.step(way, async () => {
      await using project = await TestProject.resident({
        "b/image.json": describing("1"),
        "../outside/image.json": describing("1"),
      });
      for (const [path, target] of Object.entries(links)) {
        Deno.symlinkSync(target, project.path(path));
      }
      project.define(`{ images: { one: nix2container({ manifest: "${manifest}" }) } }`);
      assertEquals(await project.statuses(), { one: "built" });
      assertEquals(await project.statuses(), { one: "cached" });
      const changed = way.endsWith("out of the project") ? "../outside/image.json" : "b/image.json";
      project.write({ [changed]: describing("2") });
      const { status, reasons } = imageOf(await project.json(["build"]), "one");
      assertEquals([status, reasons], ["built", [{ kind: "input-changed", path: changed }]]);
      assertEquals(await project.statuses(), { one: "cached" });
    });
  }
});

Deno.test("a link into a store counts by where it points, and is followed where it is replaced", async () => {
  await using project = await TestProject.resident();
  const store = (hash: string) => project.beside(`store/${hash.repeat(32)}-image`);
  for (const hash of ["0", "1"]) {
    Deno.mkdirSync(store(hash), { recursive: true });
    Deno.writeTextFileSync(`${store(hash)}/image.json`, describing(hash));
  }
  const point = (target: string) => {
    Deno.symlinkSync(target, project.path("new"));
    Deno.renameSync(project.path("new"), project.path("result"));
  };
  point(store("0"));
  project.define(`{ images: { one: nix2container({ manifest: "result/image.json" }) } }`);
  assertEquals(await project.statuses(), { one: "built" });
  assertEquals(await project.statuses(), { one: "cached" });
  point(store("1"));
  assertEquals(await project.statuses(), { one: "built" });
  Deno.removeSync(project.path("result"));
  project.write({ "result/image.json": describing("2"), "other/image.json": describing("2") });
  assertEquals(await project.statuses(), { one: "built" });
  Deno.removeSync(project.path("result"), { recursive: true });
  point("other");
  assertEquals(await project.statuses(), { one: "built" });
  project.write({ "other/image.json": describing("3") });
  assertEquals(await project.statuses(), { one: "built" });
});
