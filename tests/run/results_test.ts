/** Results by key: states of a project that come back are answered from the store. */

import { assert, assertEquals } from "@std/assert";
import { relative } from "@std/path";
import { randomFrom } from "../support/random.ts";
import { imageOf, taskOf, TestProject } from "../support/project.ts";
import { commitAll } from "../support/real/fixture.ts";
import { runTool } from "../support/real/program.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { full, toolTest } from "../support/tools.ts";

const PROJECT = `{
  tasks: {
    gen: task({ inputs: ["src/**"], outputs: ["dist/**"],
      run: ["sh", "-c", "echo ran >> runs; mkdir -p dist; cat src/* > dist/all"] }),
  },
  images: {
    app: files({ needs: ["gen"], layers: [{ from: "dist", to: "/app" }] }),
    site: files({ layers: [{ from: "site", to: "/srv" }] }),
    top: files({ base: { image: "site" }, layers: [{ from: "more", to: "/more" }] }),
  },
}`;

const FILES = { "src/a": "a1\n", "site/index.html": "s1\n", "more/m": "m1\n" };

const ALL_CACHED = { app: "cached", site: "cached", top: "cached" };

function runsIn(project: TestProject): number {
  return Deno.readTextFileSync(project.path("runs")).trimEnd().split("\n").length;
}

Deno.test("build is cached when inputs are as they were for an earlier result", async (t) => {
  await using project = await TestProject.resident(FILES, PROJECT);
  const first = await project.json(["build"]);
  project.write({ "src/a": "a2\n", "site/index.html": "s2\n" });
  assertEquals(await project.statuses(), { app: "built", site: "built", top: "built" });

  await t.step("for images, those that need them, and those of tasks", async () => {
    project.write(FILES);
    const again = await project.json(["build"]);
    for (const name of ["app", "site", "top"]) {
      const { status, reasons, imageId } = imageOf(again, name);
      assertEquals([status, reasons, imageId], ["cached", [], imageOf(first, name).imageId]);
    }
    assertEquals(runsIn(project), 2);
  });

  await t.step("for a task, whose outputs come back", async () => {
    const task = taskOf(await project.json(["build", "gen"]), "gen");
    assertEquals([task.status, runsIn(project)], ["cached", 2]);
    assertEquals(Deno.readTextFileSync(project.path("dist/all")), "a1\n");
  });

  await t.step("as plan foresees", async () => {
    project.write({ "site/index.html": "s2\n" });
    const { images } = await project.json(["plan"]);
    assertEquals(images.map(({ verdict }) => verdict), ["current", "current", "current"]);
  });

  await t.step("but not by force, nor once its blobs are gone", async () => {
    assertEquals(await project.statuses("site", "--force"), { site: "built" });
    project.write({ "site/index.html": "s1\n" });
    const { digest } = imageOf(first, "site");
    Deno.removeSync(project.path(`.images/oci/blobs/sha256/${digest!.slice(7)}`));
    const { status, digest: again } = imageOf(await project.json(["build", "site"]), "site");
    assertEquals([status, again], ["built", digest]);
  });
});

Deno.test("build names the present result in the layout, also an earlier one", async () => {
  await using project = await TestProject.resident(FILES, PROJECT);
  const { digest } = imageOf(await project.json(["build", "site"]), "site");
  project.write({ "site/index.html": "s2\n" });
  await project.json(["build", "site"]);
  project.write(FILES);
  await project.json(["build", "site"]);
  const { manifests } = JSON.parse(Deno.readTextFileSync(project.path(".images/oci/index.json")));
  assertEquals(manifests.map((each: { digest: string }) => each.digest), [digest]);
});

Deno.test("work trees that share a state share results, and each keeps its own latest", async () => {
  await using one = await TestProject.create(FILES, PROJECT);
  await using two = await TestProject.create({ ...FILES, "site/index.html": "s2\n" }, PROJECT);
  for (const project of [one, two]) project.env.IMAGES_STATE_DIR = one.beside("state");
  assertEquals(await one.statuses(), { app: "built", site: "built", top: "built" });
  assertEquals(await two.statuses(), { app: "cached", site: "built", top: "built" });
  for (const project of [one, two, one]) {
    assertEquals(await project.statuses(), ALL_CACHED);
    assertEquals((await project.json(["why", "site"])).ok, true);
  }
  two.write({ "site/index.html": "s1\n" });
  assertEquals(await two.statuses(), ALL_CACHED);
  two.write({ "site/index.html": "s2\n" });
  assertEquals(await two.statuses(), ALL_CACHED);
  assertEquals((await one.images("prune")).code, 0);
  assertEquals([await one.statuses(), await two.statuses()], [ALL_CACHED, ALL_CACHED]);
  two.write({ "site/index.html": "s3\n" });
  assertEquals((await two.statuses()).site, "built");
  two.write({ "site/index.html": "s2\n" });
  assertEquals(await two.statuses(), ALL_CACHED);
});

Deno.test("prune keeps what work trees need that are there, and nothing of those that are gone", async (t) => {
  const places = [
    (project: TestProject) => project.beside("state"),
    (project: TestProject) => project.path(".images"),
    (project: TestProject) => project.path("own"),
  ];
  for (const placeIn of places) {
    await using one = await TestProject.create({ ...FILES, ".dockerignore": "*\n" }, PROJECT);
    const state = placeIn(one);
    await t.step(state.slice(state.lastIndexOf("/") + 1), async () => {
      const two = await TestProject.create({ ...FILES, "site/index.html": "s2\n" }, PROJECT);
      two.env.IMAGES_STATE_DIR = relative(two.root, state);
      if (!state.endsWith("/.images")) one.env.IMAGES_STATE_DIR = relative(one.root, state);
      await one.json(["build"]);
      await two.json(["build"]);
      for (const project of [one, one, two, two]) {
        assertEquals((await project.images("prune")).code, 0);
      }
      assertEquals([await one.statuses(), await two.statuses()], [ALL_CACHED, ALL_CACHED]);
      await two[Symbol.asyncDispose]();
      assertEquals((await one.images("prune")).code, 0);
      assertEquals(await one.statuses(), ALL_CACHED);
      const count = (folder: string) => [...Deno.readDirSync(`${state}/${folder}`)].length;
      assertEquals(count("records/by-key/images/site@linux-amd64"), 1);
      const isOwn = state.endsWith("/.images");
      assertEquals(count("records/work-trees"), isOwn ? 0 : 1);
      const indexes = [...Deno.readDirSync(state)].filter(({ name }) => name.startsWith("index"));
      assertEquals(indexes.length, 1);
    });
  }
});

Deno.test("prune without rules leaves no earlier result, and with --keep the last used", async () => {
  await using project = await TestProject.resident(FILES, PROJECT);
  const states = ["s1\n", "s2\n", "s3\n"].map((text) => ({ "site/index.html": text }));
  for (const state of states) {
    project.write(state);
    await project.json(["build", "site"]);
  }
  assertEquals((await project.images("prune", "--keep", "1")).code, 0);
  const status = async (state: Record<string, string>) => {
    project.write(state);
    return imageOf(await project.json(["plan", "site"]), "site").verdict;
  };
  assertEquals(await status(states[1]!), "current");
  assertEquals(await status(states[0]!), "build");
  assertEquals((await project.images("prune")).code, 0);
  assertEquals([await status(states[1]!), await status(states[2]!)], ["build", "current"]);
});

toolTest(
  ["git"],
  "random edits, reverts and switches of branches build no state twice",
  async () => {
    await using project = await TestProject.resident(FILES, PROJECT);
    project.write({ ".gitignore": "/.images\n/dist\n/runs\n" });
    await commitAll(project.root);
    const git = (...args: string[]) => runTool(["git", "-C", project.root, ...args]);
    await git("branch", "other");
    const random = randomFrom(20261201);
    const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)]!;
    const edit = () => project.write({ [pick(Object.keys(FILES))]: `${pick([1, 2, 3])}\n` });
    const edits: readonly (() => unknown)[] = [
      edit,
      edit,
      () => git("checkout", "-q", "--", "."),
      () => git("-c", "user.name=test", "-c", "user.email=t@example.com", "stash", "-q"),
      () => git("stash", "pop", "-q").catch(() => git("checkout", "-q", "-f")),
      () => commitAll(project.root).catch(() => {}),
      () => git("checkout", "-q", "-f", pick(["-", "other"])).catch(() => {}),
    ];
    const built = new Map<string, string>();
    const states = new Map<string, Record<string, string>>();
    for (let round = 0; round < (full ? 500 : 40); round++) {
      await pick(edits)();
      const { images } = await project.json(["build"]);
      const state: Record<string, string> = {};
      for (const { name, key, imageId, status } of images) {
        const known = built.get(`${name} ${key}`);
        assertEquals(status === "built", known === undefined, `${name} in round ${round}`);
        assertEquals(imageId, known ?? imageId);
        built.set(`${name} ${key}`, imageId!);
        state[name] = imageId!;
      }
      const contents = Object.keys(FILES).map((path) => Deno.readTextFileSync(project.path(path)));
      states.set(JSON.stringify(contents), state);
    }
    assert(states.size > 6, `${states.size} states were met`);
    for (const [contents, state] of [...states].slice(0, full ? 27 : 3)) {
      const texts = JSON.parse(contents) as string[];
      project.write(Object.fromEntries(Object.keys(FILES).map((path, at) => [path, texts[at]!])));
      await using empty = await tempFolder("empty-state");
      project.env.IMAGES_STATE_DIR = empty.path;
      const { images } = await project.json(["build"]);
      for (const { name, imageId } of images) assertEquals(imageId, state[name], contents);
    }
  },
);
