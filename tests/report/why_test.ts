import { assert, assertEquals, assertMatch } from "@std/assert";
import { TestProject } from "../support/project.ts";
import type { Answer } from "../../lib/run/why.ts";
import { screen } from "./screens.ts";

const CHAIN = `{
  tasks: { bundle: task({ inputs: ["src/**"], outputs: ["dist/**"], run: ["sh", "-c", "mkdir -p dist && cp src/* dist"] }) },
  images: {
    base: files({ layers: [{ from: "base", to: "/base" }] }),
    middle: files({ base: { image: "base" }, layers: [{ from: "middle", to: "/middle" }] }),
    leaf: files({ base: { image: "middle" }, needs: ["bundle"], layers: [{ from: "dist", to: "/leaf" }] }),
    alone: files({ layers: [{ from: "middle", to: "/m" }], cmd: ["/serve"] }),
  },
}`;

/** Why leaf is built again once something of everything has changed. */
const CAUSES = screen(`
        ├─ because middle changed
        │  ├─ + middle/x
        │  ├─ - middle/b
        │  └─ because base changed
        │     ├─ ~ base/a
        │     └─ + base/new
        └─ because bundle changed
           └─ ~ src/c
`);

async function chainProject(): Promise<TestProject> {
  const files = { "base/a": "a\n", "middle/b": "b\n", "src/c": "c\n" };
  return await TestProject.resident(files, CHAIN);
}

/** Text with keys and times made alike. */
function alike(text: string): string {
  return text.trimEnd().replace(/content-[0-9a-f]{32}/g, "content-#")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "#")
    .replace(/\d+ ms|\d+\.\d s/g, "#.# s").replace(/[0-9a-f]{12}… → [0-9a-f]{12}…/g, "#… → #…");
}

async function told(project: TestProject, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.images(...args);
  assertEquals([code, stderr], [0, ""]);
  return alike(stdout);
}

/** Changes something of everything. */
function change(project: TestProject): void {
  project.write({ "base/a": "other\n", "base/new": "", "src/c": "other\n", "middle/x": "x\n" });
  Deno.removeSync(project.path("middle/b"));
  project.define(CHAIN.replace('"/serve"', '"/other"'));
}

Deno.test("plan shows causes, and below each what follows from it", async (t) => {
  await using project = await chainProject();
  await project.statuses();

  await t.step("all is up to date: tasks do not matter", async () => {
    assertEquals(
      await told(project, "plan"),
      screen(`
        base    current      content-#
        middle  current      content-#
        leaf    current      content-#
        alone   current      content-#
        plan: 4 current
      `),
    );
  });

  await t.step("changed, added and removed files, and an option", async () => {
    change(project);
    assertEquals(
      await told(project, "plan"),
      screen(`
        bundle      build
             ~ src/c
        base        build        content-#
        │    ~ base/a
        │    + base/new
        └─ middle   unknown
           │    + middle/x
           │    - middle/b
           └─ leaf  unknown
        alone       build        content-#
             + middle/x
             - middle/b
             option cmd ["/serve"] → ["/other"]
        plan: 2 to build, 2 unknown
      `),
    );
  });

  await t.step("what has become known is no cascade any more", async () => {
    await project.statuses("middle");
    assertEquals(
      await told(project, "plan", "leaf"),
      screen(`
        bundle   build
        │    ~ src/c
        └─ leaf  build        content-#
                because middle changed
                because bundle changed
        base     current      content-#
        middle   current      content-#
        plan: 1 to build, 2 current
      `),
    );
  });
});

Deno.test("why goes down to the first cause", async (t) => {
  await using project = await chainProject();
  await project.statuses();
  change(project);

  await t.step("of what needs must be built first", async () => {
    assertEquals(
      await told(project, "why", "leaf"),
      screen(`
        leaf hangs on what must be built first:
        └─ because middle must be built first
           ├─ + middle/x
           ├─ - middle/b
           └─ because base must be built first
              ├─ ~ base/a
              └─ + base/new
        first cause: base ~ base/a (+3 more)
        last built just now (#), in #.# s
      `),
    );
  });

  await t.step("of what needs were built for before", async () => {
    await project.statuses("middle");
    assertEquals(
      await told(project, "why", "leaf"),
      screen(`
        leaf must be built:
        CAUSES
        first cause: base ~ base/a (+4 more)
        last built just now (#), in #.# s
      `).replace("CAUSES", CAUSES),
    );
  });

  await t.step("of what is up to date: when it was built last, and why", async () => {
    await project.statuses();
    assertEquals(
      await told(project, "why", "leaf"),
      screen(`
        leaf is up to date
        last built just now (#), in #.# s:
        CAUSES
      `).replace("CAUSES", CAUSES),
    );
  });

  await t.step("of a task, and of all that a glob stands for", async () => {
    assertEquals(
      await told(project, "why", "*d*"),
      screen(`
        middle is up to date
        last built just now (#), in #.# s:
        ├─ + middle/x
        ├─ - middle/b
        └─ because base changed
           ├─ ~ base/a
           └─ + base/new

        bundle is up to date
        last built just now (#), in #.# s:
        └─ ~ src/c
      `),
    );
  });

  await t.step("as JSON with all of it", async () => {
    project.write({ "base/a": "third\n" });
    const { why: [answer] } = await project.json(["why", "leaf"]) as unknown as {
      why: [Answer];
    };
    assertEquals(answer.verdict, "unknown");
    assertEquals(answer.first, [{
      name: "base",
      reason: { kind: "input-changed", path: "base/a" },
    }]);
    assertEquals(answer.causes.map(({ name }) => name), ["middle"]);
    assertEquals(answer.causes[0]?.causes.map(({ name, verdict }) => [name, verdict]), [
      ["base", "build"],
    ]);
    const { last } = answer;
    assert(last !== undefined && Date.now() - Date.parse(last.at) < 600_000);
    assertEquals(last.reasons.map(({ kind, path }) => [kind, path]), [
      ["need-changed", "middle"],
      ["need-changed", "bundle"],
    ]);
    assertEquals(last.causes[0]?.last.causes[0]?.last.reasons, [
      { kind: "input-changed", path: "base/a" },
      { kind: "input-added", path: "base/new" },
    ]);
  });

  await t.step("long lists are cut, unless all is asked for", async () => {
    for (let at = 0; at < 30; at++) project.write({ [`middle/${at}`]: "" });
    const short = await told(project, "why", "alone");
    assertMatch(short, /└─ and 10 more; -v shows all/);
    const long = await told(project, "why", "alone", "-v");
    assertEquals(long.match(/\+ middle\/\d+/g)?.length, 30);
  });
});

Deno.test("what cannot be looked at is told with its place, and what to do", async () => {
  await using project = await TestProject.resident(
    { "app/Dockerfile": "FROM scratch\nCPY a b\n" },
    `{
      registries: { local: registry("localhost:1/x") },
      images: {
        bad: dockerfile({ context: "app" }),
        above: files({ base: { image: "bad" }, layers: [] }),
      },
    }`,
  );
  const fault = "app/Dockerfile:2:1: Unknown instruction CPY";
  const bad = await project.images("why", "bad");
  assertEquals(
    [bad.code, bad.stdout.trimEnd()],
    [1, `bad cannot be looked at:\n├─ ${fault}\n└─ next: write COPY if that was meant`],
  );
  const above = await project.images("why", "above");
  assertMatch(above.stdout, /because bad must be built first\n +├─ app\/Dockerfile:2:1: Unknown/);
  const { why: [{ error }] } = JSON.parse((await project.images("why", "bad", "--json")).stdout);
  assertEquals(error.where, "app/Dockerfile:2:1");
  for (const verb of ["plan", "doctor"]) {
    assertMatch((await project.images(verb)).stdout, new RegExp(fault), verb);
  }
  const { stderr } = await project.images("refs");
  assertMatch(stderr, new RegExp(`note: bad: ${fault}; write COPY`));
  const unknown = `Whether it is published is not known, since "bad" is not: ${fault}`;
  assertMatch(stderr, new RegExp(`note: above: ${unknown}; write COPY`));
});
