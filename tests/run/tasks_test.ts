import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { imageOf, taskOf, TestProject } from "../support/project.ts";

const WITH_TASK = `{
  tasks: {
    gen: task({ inputs: ["src/**"], outputs: ["dist/**"], run: ["sh", "-c", "echo ran >> runs; mkdir -p dist; cat src/* > dist/all"] }),
  },
  images: {
    app: files({ needs: ["gen"], layers: [{ from: "dist", to: "/app" }] }),
  },
}`;

function runs(project: TestProject): number {
  return Deno.readTextFileSync(project.path("runs")).trimEnd().split("\n").length;
}

Deno.test("a task runs only for an image that must be built, and its outputs come back", async () => {
  await using project = await TestProject.resident({ "src/a": "a\n", "src/b": "b\n" });
  project.define(WITH_TASK);
  assertEquals(await project.statuses(), { app: "built" });
  assertEquals(runs(project), 1);
  assertEquals(await project.statuses(), { app: "cached" });
  Deno.removeSync(project.path("dist"), { recursive: true });
  assertEquals(await project.statuses(), { app: "cached" });
  assertEquals(runs(project), 1);
  const named = await project.json(["build", "gen"]);
  assertEquals(taskOf(named, "gen").status, "cached");
  assertEquals(Deno.readTextFileSync(project.path("dist/all")), "a\nb\n");
  assertEquals(runs(project), 1);
  Deno.removeSync(project.path("dist"), { recursive: true });
  project.define(WITH_TASK.replace('to: "/app"', 'to: "/other"'));
  assertEquals(await project.statuses(), { app: "built" });
  assertEquals(runs(project), 1);
  project.write({ "src/a": "changed\n" });
  const built = await project.json(["build"]);
  assertEquals(taskOf(built, "gen").status, "built");
  assertEquals(taskOf(built, "gen").reasons[0], { kind: "input-changed", path: "src/a" });
  assertEquals(runs(project), 2);
});

Deno.test("inputs that are reached through links count for what they hold", async () => {
  await using project = await TestProject.resident({ "shared/a": "a\n", "config": "1\n" });
  Deno.symlinkSync("shared", project.path("src"));
  Deno.symlinkSync("config", project.path("current"));
  project.define(WITH_TASK.replace('"src/**"', '"src/*", "current"'));
  assertEquals(await project.statuses(), { app: "built" });
  assertEquals(await project.statuses(), { app: "cached" });
  for (const changed of ["shared/a", "config"]) {
    project.write({ [changed]: "changed\n" });
    const built = await project.json(["build"]);
    assertEquals(taskOf(built, "gen").reasons[0], { kind: "input-changed", path: changed });
  }
  project.write({ "shared/b": "b\n", "other/a": "changed\n", "other/b": "b\n" });
  assertEquals(await project.statuses(), { app: "built" });
  Deno.removeSync(project.path("src"));
  Deno.symlinkSync("other", project.path("src"));
  assertEquals(taskOf(await project.json(["build"]), "gen").status, "built");
  assertEquals(runs(project), 5);
});

Deno.test("inputs that no file matches are told of, but not those that needs make", async () => {
  await using project = await TestProject.resident({ "src/a": "a\n" });
  project.define(`{
    tasks: {
      gen: task({ inputs: ["src/*"], outputs: ["gen/*"], run: ["sh", "-c", "mkdir -p gen; cp src/a gen"] }),
      next: task({ needs: ["gen"], inputs: ["gen/*"], outputs: ["next"], run: ["cp", "gen/a", "next"] }),
      slip: task({ inputs: ["scr/*", "!scr/b"], outputs: ["slip"], run: ["touch", "slip"] }),
      none: task({ inputs: [], outputs: ["none"], run: ["touch", "none"] }),
    },
    images: {},
  }`);
  const { stderr } = await project.images("build", "next", "slip", "none");
  assertEquals(stderr.match(/No file matches .*/g), [
    "No file matches its inputs (scr/*): no edit will run it again",
  ]);
});

Deno.test("kept outputs that are damaged are made again", async () => {
  await using project = await TestProject.resident({ "src/a": "a\n" });
  project.define(WITH_TASK);
  const { imageId } = imageOf(await project.json(["build"]), "app");
  const [{ name }] = [...Deno.readDirSync(project.path(".images/outputs"))] as [Deno.DirEntry];
  const archive = project.path(`.images/outputs/${name}`);
  const whole = Deno.readFileSync(archive);
  const content = whole.indexOf(10, 512) - 1;
  const damaged = [
    whole.with(content, 98),
    whole.slice(0, 700),
    whole.slice(0, 100),
    whole.slice(0, 0),
  ];
  for (const [at, bytes] of damaged.entries()) {
    Deno.writeFileSync(archive, bytes);
    Deno.removeSync(project.path("dist"), { recursive: true });
    const { images: [image], tasks: [task] } = await project.json(["build", "app", "--force"]);
    assertEquals([image?.imageId, task?.status], [imageId, "built"]);
    assertEquals(runs(project), at + 2);
    assertEquals(Deno.readFileSync(archive), whole);
  }
});

Deno.test("a task's stale outputs do not enter an image", async () => {
  await using project = await TestProject.resident({ "src/a": "a\n" });
  project.define(WITH_TASK);
  project.write({ "dist/stale": "stale\n" });
  const { digest } = imageOf(await project.json(["build"]), "app");
  await using clean = await TestProject.resident({ "src/a": "a\n" });
  clean.define(WITH_TASK);
  assertEquals(imageOf(await clean.json(["build"]), "app").digest, digest);
});

Deno.test("a task whose inputs are among its outputs removes none of them", async () => {
  await using project = await TestProject.resident({ "src/a.ts": "a\n", "src/b/c.ts": "c\n" });
  for (
    const [inputs, outputs] of [
      ["src/**", "src/**"],
      ["./src/*.ts", "src/*.ts"],
      ["src/a.ts", "src/*"],
      ["src/b/*.ts", "src"],
    ]
  ) {
    project.define(`{
      tasks: { fmt: task({ inputs: ["${inputs}"], outputs: ["${outputs}"], run: ["true"] }) },
      images: {},
    }`);
    const { error } = taskOf(await project.json(["build", "fmt"], 1), "fmt");
    const input = inputs!.replace("./", "");
    assertEquals(error, {
      message: `Its input "${input}" is among its outputs, which are removed before it runs`,
      where: "fmt",
      next: "let `outputs` name only what it makes",
    });
  }
  assertEquals(Deno.readTextFileSync(project.path("src/b/c.ts")), "c\n");
  project.define(`{
    tasks: {
      ts: task({ inputs: ["**", "src/*.ts"], outputs: ["src/*.js"], run: ["touch", "src/a.js"] }),
    },
    images: {},
  }`);
  assertEquals(taskOf(await project.json(["build", "ts"]), "ts").status, "built");
});

Deno.test("an image's key is of the files that went in, also where tasks of it edit or outlast others", async () => {
  await using project = await TestProject.resident({ "docs/a": "old\n" });
  project.define(`{
    tasks: {
      edit: task({ inputs: [], outputs: ["dist/**"], run: ["sh", "-c", "mkdir dist; cp docs/b docs/a; cp docs/b dist"] }),
    },
    images: {
      app: files({ needs: ["edit"], layers: [{ from: "docs", to: "/" }, { from: "dist", to: "/" }] }),
    },
  }`);
  project.write({ "docs/b": "new\n" });
  const { key } = imageOf(await project.json(["build"]), "app");
  assertEquals(await project.statuses(), { app: "cached" });
  project.write({ "docs/a": "old\n" });
  const planned = imageOf(await project.json(["plan"]), "app");
  assertEquals(planned.reasons, [{ kind: "input-changed", path: "docs/a" }]);
  assertNotEquals(planned.key, key);
});

Deno.test("a failing build ends the run, or with --keep-going only what needs it", async () => {
  await using project = await TestProject.resident({ "a": "a\n" });
  project.define(`{
    tasks: { bad: task({ outputs: ["dist/**"], run: ["sh", "-c", "echo why it failed; exit 3"] }) },
    images: {
      broken: files({ needs: ["bad"], layers: [{ from: "dist", to: "/" }] }),
      after: files({ base: { image: "broken" }, layers: [] }),
      fine: files({ layers: [{ from: "a", to: "/a" }] }),
    },
  }`);
  const document = await project.json(["build", "--keep-going"], 1);
  assertEquals(document.ok, false);
  assertEquals(taskOf(document, "bad").status, "failed");
  assertEquals(imageOf(document, "broken").status, "skipped");
  assertEquals(imageOf(document, "after").status, "skipped");
  assertEquals(imageOf(document, "fine").status, "built");
  const { stderr } = await project.images("build", "--all");
  assertStringIncludes(stderr, "why it failed");
  assertStringIncludes(stderr, "logs/bad.log");
});

Deno.test("a task whose folder is missing has failed, whatever it runs", async () => {
  await using project = await TestProject.resident({ "file": "" });
  project.define(`{ images: {}, tasks: {
    program: task({ cwd: "nope", outputs: [], run: ["true"] }),
    code: task({ cwd: "nope", outputs: [], run: ({ $ }) => $\`true\` }),
    "in-file": task({ cwd: "file", outputs: [], run: ["true"] }),
    missing: task({ outputs: [], run: ["no-such-program"] }),
  } }`);
  for (const [name, folder] of [["program", "nope"], ["code", "nope"], ["in-file", "file"]]) {
    const { status, error } = taskOf(await project.json(["build", name!], 1), name!);
    assertEquals([status, error?.next], ["failed", "make the folder, or correct `cwd`"]);
    assertStringIncludes(error?.message ?? "", `there is no folder ${project.path(folder!)}`);
  }
  assertEquals(taskOf(await project.json(["build", "missing"], 1), "missing").status, "failed");
});

Deno.test("a task whose program is not there fails, and the run with it", async () => {
  await using project = await TestProject.resident({ "src/a": "a\n" });
  project.define(`{
    tasks: { gen: task({ inputs: ["src/**"], outputs: ["dist/**"], run: ["esbuidl"] }) },
    images: { app: files({ needs: ["gen"], layers: [{ from: "dist", to: "/app" }] }) },
  }`);
  const { images, tasks } = await project.json(["build"], 1);
  assertEquals([tasks[0]?.status, images[0]?.status], ["failed", "skipped"]);
  assertStringIncludes(tasks[0]!.error!.message, 'Cannot start "esbuidl"');
});
