/** A plugin that must ask its tool what goes in. */

import { assertEquals } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";

/** Reads the names of its files from `list`, and notes each time it is asked. */
const IMAGES = `
import { define, Discovered, plugin } from "images";

const listed = plugin({
  name: "listed",
  version: "1",
  options: {},
  describe: () => ({ options: {}, inputs: [], guard: {} }),
  identify: ({ context }) => {
    Deno.writeTextFileSync(context.root + "/asked", "x", { append: true });
    const names = Deno.readTextFileSync(context.root + "/list").trim().split("\\n");
    return Promise.resolve(new Discovered({
      options: {},
      inputs: [{ root: "src", include: names, takes: "files" }],
      guard: { trees: [
        { root: ".", include: ["list"] },
        { root: "src", include: ["**"], takes: "names" },
      ] },
    }));
  },
  build: ({ context }) => {
    const text = context.tree.entries.map(({ path, digest }) => path + digest).join();
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Labels: { text } },
      rootfs: { type: "layers", diff_ids: [] },
    });
    return Promise.resolve({ config: new TextEncoder().encode(config), layers: [] });
  },
});

export default define({ images: { app: listed({}) } });
`;

Deno.test("an image whose inputs only its tool knows", async (t) => {
  await using project = await TestProject.create({
    "images.ts": IMAGES,
    list: "a\nb\n",
    "src/a": "a",
    "src/b": "b",
    "src/c": "c",
  });
  const asked = () => Deno.readTextFileSync(project.path("asked")).length;
  const build = async () => {
    const { status, reasons, key } = imageOf(await project.json(["build"]), "app");
    return { status, reasons: reasons.map(({ kind, path }) => [kind, path ?? ""]), key };
  };
  const first = await build();
  assertEquals(first.status, "built");
  assertEquals(asked(), 1);

  await t.step(
    "is cached without asking while nothing changed, or what does not go in",
    async () => {
      assertEquals((await build()).status, "cached");
      project.write({ "src/c": "another" });
      assertEquals((await build()).status, "cached");
      Deno.utimeSync(project.path("src/a"), 1, 1);
      assertEquals((await build()).status, "cached");
      assertEquals(asked(), 1);
    },
  );

  await t.step(
    "is asked for once, and cached, when something appears beside its inputs",
    async () => {
      project.write({ "src/d": "d" });
      assertEquals((await build()).status, "cached");
      assertEquals((await build()).status, "cached");
      assertEquals(asked(), 2);
    },
  );

  await t.step("is built when an input changed, was added or removed, and says so", async () => {
    project.write({ "src/a": "another" });
    assertEquals((await build()).reasons, [["input-changed", "a"]]);
    project.write({ list: "a\nc\n" });
    assertEquals((await build()).reasons, [["input-added", "c"], ["input-removed", "b"]]);
    assertEquals((await build()).status, "cached");
    assertEquals(asked(), 4);
  });

  await t.step("has the key of its inputs, however they came about", async () => {
    project.write({ "src/a": "a", list: "b\na\n" });
    assertEquals((await build()).key, first.key);
  });
});
