import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { timeLimit } from "../../lib/run/build_context.ts";
import { readIndexFile } from "../../lib/files/index_file.ts";
import { imageOf, taskOf, TestProject } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";

const SITE = `{
  images: {
    site: files({ layers: [{ from: "site", to: "/srv" }], cmd: ["/serve"] }),
    other: files({ layers: [{ from: "other", to: "/srv" }] }),
  },
}`;

async function siteProject(): Promise<TestProject> {
  const project = await TestProject.create({
    "site/index.html": "<h1>hello</h1>\n",
    "site/style.css": "h1 { color: red }\n",
    "other/a.txt": "a\n",
  });
  project.define(SITE);
  return project;
}

/** Path → time of its last change and inode, of everything below a folder. */
function stamps(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    const info = Deno.lstatSync(path);
    found[path] = `${info.mtime?.getTime()} ${info.ino}`;
    if (entry.isDirectory) Object.assign(found, stamps(path));
  }
  return found;
}

Deno.test("what only looks makes no folder that git would see", async () => {
  await using project = await siteProject();
  await project.json(["plan"]);
  assertEquals(Deno.readTextFileSync(project.path(".images/.gitignore")), "*\n");
});

Deno.test("build records images, and rewrites nothing when all is up to date", async () => {
  await using project = await siteProject();
  assertEquals(await project.statuses(), { site: "built", other: "built" });
  const before = stamps(project.path(".images/oci"));
  assertEquals(await project.statuses(), { site: "cached", other: "cached" });
  assertEquals(stamps(project.path(".images/oci")), before);
});

toolTest(
  ["strace"],
  "build starts no process, opens no input and lists no folder when all is up to date",
  async () => {
    await using project = await siteProject();
    await project.statuses();
    // The index trusts a file's stat two seconds after its last change.
    for (const path of ["site/index.html", "site/style.css", "other/a.txt"]) {
      Deno.utimeSync(project.path(path), 1e9, 1e9);
    }
    await waitUntilSettled(project);
    const trace = project.beside("trace");
    const { code } = await new Deno.Command("strace", {
      args: [
        ...["-f", "-qq", "-e", "trace=execve,openat", "-o", trace],
        ...[Deno.execPath(), ...project.commandLine("build")],
      ],
      cwd: project.root,
      env: project.env,
      stdout: "null",
      stderr: "null",
    }).output();
    assertEquals(code, 0);
    const lines = (await Deno.readTextFile(trace)).split("\n");
    assertEquals(lines.filter((line) => line.includes("execve(")).length, 1);
    assertEquals(lines.filter((line) => /openat\(.*\/project\/(site|other)\b/.test(line)), []);
  },
);

/** Builds until the stats of the inputs are old enough to be trusted. */
async function waitUntilSettled(project: TestProject): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    await project.statuses();
    const folders = [...readIndexFile(project.path(".images/index")).folders.values()];
    const entries = folders.flatMap((folder) => [...folder.entries().values()]);
    const isRead = entries.every(({ content, settled }) => content === undefined || settled);
    if (isRead && folders.every((folder) => folder.isSettled)) return;
  }
  throw new Error("the index does not settle");
}

Deno.test("build gives the same key and digest whatever the folder, umask, times and owner", async () => {
  await using first = await siteProject();
  await using second = await siteProject();
  for (const path of ["site/index.html", "site/style.css"]) {
    Deno.chmodSync(second.path(path), 0o600);
    Deno.utimeSync(second.path(path), 1e9, 1e9);
    if (Deno.uid() === 0) Deno.chownSync(second.path(path), 1234, 1234);
  }
  Deno.chmodSync(second.path("site"), 0o700);
  const one = imageOf(await first.json(["build"]), "site");
  const other = imageOf(await second.json(["build"]), "site");
  assertEquals(other.key, one.key);
  assertEquals(other.digest, one.digest);
  assertEquals(other.imageId, one.imageId);
  assertMatch(one.key ?? "", /^[0-9a-f]{64}$/);
  assertEquals(one.tag, `content-${one.key?.slice(0, 32)}`);
});

Deno.test("build does nothing for a touched file, or when another image's recipe changes", async () => {
  await using project = await siteProject();
  await project.statuses();
  Deno.utimeSync(project.path("site/index.html"), 2e9, 2e9);
  assertEquals(await project.statuses(), { site: "cached", other: "cached" });
  project.define(SITE.replace('to: "/srv" }] })', 'to: "/srv" }], cmd: ["/x"] })'));
  assertEquals(await project.statuses(), { site: "cached", other: "built" });
});

Deno.test("plan and why name the cause of a rebuild", async (t) => {
  const cases: [string, (project: TestProject) => void, object][] = [
    ["a changed file", (p) => p.write({ "site/index.html": "other\n" }), {
      kind: "input-changed",
      path: "site/index.html",
    }],
    ["an added x bit", (p) => Deno.chmodSync(p.path("site/style.css"), 0o755), {
      kind: "input-changed",
      path: "site/style.css",
      detail: "now executable",
    }],
    ["an added file", (p) => p.write({ "site/new.txt": "" }), {
      kind: "input-added",
      path: "site/new.txt",
    }],
    ["a removed file", (p) => Deno.removeSync(p.path("site/style.css")), {
      kind: "input-removed",
      path: "site/style.css",
    }],
    ["a changed option", (p) => p.define(SITE.replace("/serve", "/other")), {
      kind: "option-changed",
      path: "cmd",
      detail: '["/serve"] → ["/other"]',
    }],
    ["a label", (p) => p.define(SITE.replace("cmd:", 'labels: { a: "b" }, cmd:')), {
      kind: "option-changed",
      path: "labels",
      detail: '{} → {"a":"b"}',
    }],
  ];
  for (const [what, change, reason] of cases) {
    await t.step(what, async () => {
      await using project = await siteProject();
      await project.statuses();
      change(project);
      const planned = imageOf(await project.json(["plan"]), "site");
      assertEquals(planned.verdict, "build");
      assertEquals(planned.reasons, [reason] as never);
      const why = await project.images("why", "site");
      assertStringIncludes(why.stdout, "must be built");
      const built = imageOf(await project.json(["build"]), "site");
      assertEquals(built.status, "built");
      assertEquals(built.reasons, [reason] as never);
    });
  }
});

Deno.test("a hostEnv value is part of the key and is never written down", async () => {
  await using project = await siteProject();
  project.define(SITE.replace("cmd:", 'hostEnv: ["CHANNEL"], cmd:'));
  project.env.CHANNEL = "stable-secret-value";
  await project.statuses();
  project.env.CHANNEL = "another-secret-value";
  const planned = imageOf(await project.json(["plan"]), "site");
  assertEquals(planned.reasons, [{
    kind: "env-changed",
    path: "CHANNEL",
    detail: "another value",
  }]);
  await project.statuses();
  const grep = await new Deno.Command("grep", {
    args: ["-r", "secret-value", project.path(".images")],
  }).output();
  assertEquals(grep.code, 1);
});

const CHAIN = `{
  images: {
    base: files({ layers: [{ from: "base", to: "/base" }] }),
    middle: files({ base: { image: "base" }, layers: [{ from: "middle", to: "/middle" }] }),
    leaf: files({ base: { image: "middle" }, layers: [{ from: "leaf", to: "/leaf" }] }),
    beside: files({ needs: ["base"], layers: [{ from: "leaf", to: "/x" }] }),
  },
}`;

async function chainProject(): Promise<TestProject> {
  const project = await TestProject.create({
    "base/a": "a\n",
    "middle/b": "b\n",
    "leaf/c": "c\n",
  });
  project.define(CHAIN);
  return project;
}

Deno.test("a changed base rebuilds what is made of it, and says so", async () => {
  await using project = await chainProject();
  await project.statuses();
  project.write({ "base/a": "changed\n" });
  const planned = await project.json(["plan"]);
  assertEquals(imageOf(planned, "base").verdict, "build");
  assertEquals(imageOf(planned, "middle").verdict, "unknown");
  assertEquals(imageOf(planned, "leaf").verdict, "unknown");
  const built = await project.json(["build"]);
  assertEquals(imageOf(built, "leaf").status, "built");
  assertEquals(imageOf(built, "middle").reasons.map(({ kind, path }) => [kind, path]), [
    ["need-changed", "base"],
  ]);
});

Deno.test("a need that is rebuilt to the same image leaves its dependents cached", async () => {
  await using project = await chainProject();
  await project.statuses();
  const { images } = await project.json(["build", "--force", "base", "leaf..."]);
  const statuses = Object.fromEntries(images.map(({ name, status }) => [name, status]));
  assertEquals(statuses.base, "built");
  await using again = await chainProject();
  await again.statuses();
  // Another label on a recipe changes its key; here only the key of the base changes.
  again.define(CHAIN.replace('to: "/base" }] })', 'to: "/base" }], hostEnv: ["UNUSED"] })'));
  const statusesAgain = await again.statuses();
  assertEquals(statusesAgain, {
    base: "built",
    middle: "cached",
    leaf: "cached",
    beside: "cached",
  });
});

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
  await using project = await TestProject.create({ "src/a": "a\n", "src/b": "b\n" });
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

Deno.test("an image's key is of the files that went in, also where tasks of it edit or outlast others", async () => {
  await using project = await TestProject.create({ "docs/a": "old\n" });
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

Deno.test("an image's time is that of its own turn", async () => {
  const names = Array.from({ length: 40 }, (_, at) => `i${at}`);
  await using project = await TestProject.create({ "docs/a": "a\n" });
  project.define(`{ images: {
    ...each(${
    JSON.stringify(names)
  }, (name) => files({ layers: [{ from: "docs", to: "/" + name }] })),
  } }`);
  const { images, ms } = await project.json(["build", "--jobs", "1"]);
  const sum = (times: readonly number[]) => times.reduce((total, time) => total + time, 0);
  const rounding = names.length;
  assert(sum(images.map((image) => image.ms)) <= ms + rounding);
  const records = Deno.readDirSync(project.path(".images/records/images"));
  const recorded = [...records].map(({ name }) =>
    JSON.parse(Deno.readTextFileSync(project.path(`.images/records/images/${name}`))).ms
  );
  assertEquals(recorded.length, names.length);
  assert(sum(recorded) <= ms + rounding);
});

Deno.test("a task's stale outputs do not enter an image", async () => {
  await using project = await TestProject.create({ "src/a": "a\n" });
  project.define(WITH_TASK);
  project.write({ "dist/stale": "stale\n" });
  const { digest } = imageOf(await project.json(["build"]), "app");
  await using clean = await TestProject.create({ "src/a": "a\n" });
  clean.define(WITH_TASK);
  assertEquals(imageOf(await clean.json(["build"]), "app").digest, digest);
});

Deno.test("a task function is given dax's $ and counts by its source", async () => {
  await using project = await TestProject.create({ "src/a": "a\n" });
  const define = (word: string) =>
    project.define(`{
      tasks: { gen: task({ inputs: ["src/**"], outputs: ["dist/**"], run: async ({ $ }) => {
        await $\`mkdir -p dist\`;
        await $\`echo ${word}\`;
        Deno.writeTextFileSync("dist/x", await $\`cat src/a\`.text());
      } }) },
      images: { app: files({ needs: ["gen"], layers: [{ from: "dist", to: "/app" }] }) },
    }`);
  define("first");
  const { stderr } = await project.images("build", "-v");
  assertStringIncludes(stderr, "first");
  define("second");
  const again = await project.json(["build"]);
  assertEquals(taskOf(again, "gen").status, "built");
  assertEquals(taskOf(again, "gen").reasons.map(({ kind, path }) => [kind, path]), [[
    "option-changed",
    "run",
  ]]);
});

Deno.test("a failing build ends the run, or with --keep-going only what needs it", async () => {
  await using project = await TestProject.create({ "a": "a\n" });
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

Deno.test("an expectation that is not met leaves no record and names what is there instead", async () => {
  await using project = await siteProject();
  project.define(
    SITE.replace(
      "cmd:",
      'expect: { files: ["/srv/missing.html"], absent: ["/srv/style.css"], maxLayers: 1 }, cmd:',
    ),
  );
  const document = await project.json(["build", "site"], 1);
  const { error, status } = imageOf(document, "site");
  assertEquals(status, "failed");
  assertStringIncludes(
    error?.message ?? "",
    "/srv/missing.html is missing (/srv holds index.html, style.css)",
  );
  assertStringIncludes(error?.message ?? "", "/srv/style.css is there");
  assertEquals(imageOf(await project.json(["plan"]), "site").verdict, "build");
});

Deno.test("a missing result is built again", async () => {
  await using project = await siteProject();
  const { digest } = imageOf(await project.json(["build"]), "site");
  Deno.removeSync(project.path(`.images/oci/blobs/sha256/${digest?.slice(7)}`));
  const built = imageOf(await project.json(["build"]), "site");
  assertEquals(built.status, "built");
  assertEquals(built.reasons, [{ kind: "result-missing" }]);
});

Deno.test("an image of several platforms becomes an index", async () => {
  await using project = await siteProject();
  project.define(SITE.replace("cmd:", 'platforms: ["linux/amd64", "linux/arm64"], cmd:'));
  const { images } = await project.json(["build", "site"]);
  assertEquals(images.map(({ platform }) => platform), ["linux/amd64", "linux/arm64", "index"]);
  const refs = JSON.parse(Deno.readTextFileSync(project.path(".images/oci/index.json"))).manifests;
  assertEquals(refs.length, 1);
  assertEquals(refs[0].digest, images[2]?.digest);
  assert(images[0]?.key !== images[1]?.key);
});

Deno.test("an interrupt ends the whole process tree with status 130", async () => {
  await using project = await TestProject.create();
  const marker = `31${Deno.pid}`;
  project.define(`{
    tasks: { slow: task({ outputs: ["dist/**"], run: ["sh", "-c", "echo started > started; sleep ${marker} & sleep ${marker}; wait"] }) },
    images: { app: files({ needs: ["slow"], layers: [{ from: "dist", to: "/" }] }) },
  }`);
  const child = project.spawn("build");
  await fileAppears(project.path("started"));
  child.kill("SIGINT");
  const { code } = await child.output();
  assertEquals(code, 130);
  const left = await new Deno.Command("pgrep", { args: ["-f", `^sleep ${marker}`] }).output();
  assertEquals(new TextDecoder().decode(left.stdout), "");
});

async function fileAppears(path: string): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const watcher = Deno.watchFs(folder);
  try {
    if (exists(path)) return;
    for await (const _ of watcher) if (exists(path)) return;
  } finally {
    try {
      watcher.close();
    } catch {
      // The loop's end closed it.
    }
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("a task that takes too long is ended and has failed", async () => {
  await using project = await TestProject.create();
  project.define(`{
    tasks: { slow: task({ outputs: ["dist/**"], timeout: 0.2, run: ["sleep", "60"] }) },
    images: { app: files({ needs: ["slow"], layers: [{ from: "dist", to: "/" }] }) },
  }`);
  const { error, status } = taskOf(await project.json(["build"], 1), "slow");
  assertEquals(status, "failed");
  assertStringIncludes(error?.message ?? "", "timeout");
});

Deno.test("timeLimit() does not count the time before its begin", async () => {
  const limit = timeLimit(new AbortController().signal, 0, "app");
  const ended = new Promise((resolve) => limit.signal.addEventListener("abort", resolve));
  const { promise, resolve } = Promise.withResolvers<void>();
  // Each is a turn of the event loop, in which a timer of 0 s would have its turn too.
  const turns = (left: number) => left === 0 ? resolve() : setImmediate(() => turns(left - 1));
  turns(100);
  await promise;
  assert(!limit.signal.aborted);
  limit.begin();
  await ended;
  limit.clear();
});

Deno.test("graph, list and export tell what they should", async (t) => {
  await using project = await chainProject();
  await t.step("graph", async () => {
    assertStringIncludes((await project.images("graph")).stdout, "leaf\n└─ middle\n   └─ base");
    assertStringIncludes((await project.images("graph", "--format", "mermaid")).stdout, "graph LR");
    assertStringIncludes(
      (await project.images("graph", "--format", "dot")).stdout,
      '"leaf" -> "middle";',
    );
    const { nodes } = JSON.parse((await project.images("graph", "--format", "json")).stdout);
    assertEquals(nodes.length, 4);
  });
  await t.step("list", async () => {
    assertStringIncludes((await project.images("list")).stdout, "beside  files  needs base");
  });
  await t.step("selection with NAME... and ...NAME", async () => {
    const withNeeds = await project.json(["plan", "leaf..."]);
    assertEquals(withNeeds.images.map(({ name }) => name), ["base", "middle", "leaf"]);
    const withDependents = await project.json(["plan", "...base"]);
    assertEquals(withDependents.images.map(({ name }) => name), [
      "base",
      "middle",
      "leaf",
      "beside",
    ]);
  });
  await t.step("clean", async () => {
    await project.statuses();
    assertEquals((await project.images("clean")).code, 0);
    assertEquals([...Deno.readDirSync(project.path(".images"))].map(({ name }) => name), [
      ".gitignore",
    ]);
  });
});

toolTest(
  ["skopeo", "umoci", "oci-image-tool"],
  "other tools read the layout and what is exported",
  async (t) => {
    await using project = await siteProject();
    Deno.chmodSync(project.path("site/style.css"), 0o755);
    await project.statuses();
    const layout = project.path(".images/oci");
    await t.step("oci-image-tool", async () => {
      await run("oci-image-tool", "validate", "--type", "image", "--ref", "name=site", layout);
    });
    await t.step("skopeo", async () => {
      const config = JSON.parse(await run("skopeo", "inspect", "--config", `oci:${layout}:site`));
      assertEquals(config.config.Cmd, ["/serve"]);
    });
    await t.step("umoci", async () => {
      const bundle = project.beside("bundle");
      await run("umoci", "unpack", "--image", `${layout}:site`, bundle);
      const listing = await run("find", `${bundle}/rootfs`, "-printf", "%P %m %U:%G\n");
      assertEquals(listing.trimEnd().split("\n").sort(), [
        " 755 0:0",
        "srv 755 0:0",
        "srv/index.html 644 0:0",
        "srv/style.css 755 0:0",
      ]);
    });
    for (const form of ["oci", "oci-archive", "docker-archive"]) {
      await t.step(`export to ${form}`, async () => {
        const path = project.beside(form);
        assertEquals((await project.images("export", "site", "--to", `${form}:${path}`)).code, 0);
        const { Digest, Layers } = JSON.parse(await run("skopeo", "inspect", `${form}:${path}`));
        assertMatch(Digest, /^sha256:/);
        assertEquals(Layers.length, 1);
      });
    }
    await t.step("each of several names of one manifest", async () => {
      project.write({ "twin/x": "x" });
      const twin = `files({ layers: [{ from: "twin", to: "/srv" }] })`;
      project.define(`{ images: { first: ${twin}, second: ${twin}, third: ${twin} } }`);
      await project.statuses();
      const digests = new Set<string>();
      for (const name of ["first", "second", "third"]) {
        const image = `oci:${layout}:${name}`;
        digests.add(await run("skopeo", "inspect", "--format", "{{.Digest}}", image));
        await run("umoci", "unpack", "--image", `${layout}:${name}`, project.beside(name));
        // oci-image-tool passes over entries when it looks for one of more than two.
        const alone = project.beside(`${name}-alone`);
        await project.images("export", name, "--to", `oci:${alone}`);
        await run("oci-image-tool", "validate", "--type", "image", "--ref", `name=${name}`, alone);
      }
      assertEquals(digests.size, 1);
    });
  },
);

async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (code !== 0) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
