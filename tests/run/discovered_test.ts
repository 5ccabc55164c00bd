/** A plugin that must ask its tool what goes in. */

import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
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
  await using project = await TestProject.resident({
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

/** Its tool writes `lock` while it builds, and `other` too where that is asked for. */
const WRITES = `
import { define, plugin } from "images";

const locking = plugin({
  name: "locking",
  version: "1",
  options: {},
  describe: () => ({
    options: {},
    inputs: [{ root: ".", include: ["lock", "other", "source"] }],
    rewrites: ["lock"],
  }),
  build: ({ context }) => {
    Deno.writeTextFileSync(context.root + "/lock", "as the tool wants it");
    if (Deno.env.has("ALSO")) Deno.writeTextFileSync(context.root + "/other", "changed");
    const text = Deno.readTextFileSync(context.root + "/source");
    const rootfs = { type: "layers", diff_ids: [] };
    const config = JSON.stringify({ architecture: "amd64", os: "linux", rootfs, author: text });
    return Promise.resolve({ config: new TextEncoder().encode(config), layers: [] });
  },
});

export default define({ images: { app: locking({}) } });
`;

Deno.test("a tool that writes a file that goes in", async (t) => {
  await using project = await TestProject.resident({
    "images.ts": WRITES,
    source: "s",
    other: "o",
  });
  const build = async () => imageOf(await project.json(["build"]), "app");
  const keyOf = async () => imageOf(await project.json(["plan"]), "app").key;
  const before = await keyOf();

  await t.step("has the key of what was written, and is cached from then on", async () => {
    const { code, stderr } = await project.images("build");
    assertEquals(code, 0);
    assertMatch(stderr, /The build has written lock: commit it/);
    const again = await build();
    assertEquals(again.status, "cached");
    assertNotEquals(again.key, before);
  });

  await t.step("is built under that key where the file comes with the sources", async () => {
    const { key } = await build();
    Deno.removeSync(project.path(".images"), { recursive: true });
    const again = await build();
    assertEquals([again.status, again.key], ["built", key]);
  });

  await t.step("is recorded under what its document says", async () => {
    project.write({ source: "other", lock: "old" });
    const built = await build();
    assertEquals(built.status, "built");
    assertEquals(await keyOf(), built.key);
    assertEquals((await build()).status, "cached");
  });

  await t.step("is not recorded where something else changed too", async () => {
    project.env.ALSO = "1";
    project.write({ source: "third", lock: "old" });
    const { code, stderr } = await project.images("build");
    assertEquals(code, 1);
    assertMatch(stderr, /Inputs changed while it was built: lock, other/);
    assertEquals(imageOf(await project.json(["plan"]), "app").verdict, "build");
  });
});
