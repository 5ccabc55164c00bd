/** What is built again, and what is said to be the cause. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { imageOf, type TestProject } from "../support/project.ts";
import { CHAIN, chainProject, SITE, siteProject } from "./projects.ts";

Deno.test("plan and why name the cause of a rebuild", async (t) => {
  const other = SITE.replace("/serve", "/other");
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
    ["a changed option", (p) => p.define(other), {
      kind: "option-changed",
      path: "cmd",
      detail: '["/serve"] → ["/other"]',
    }],
    ["a label", (p) => p.define(other.replace("cmd:", 'labels: { a: "b" }, cmd:')), {
      kind: "option-changed",
      path: "labels",
      detail: '{} → {"a":"b"}',
    }],
  ];
  await using project = await siteProject();
  await project.statuses();
  for (const [what, change, reason] of cases) {
    await t.step(what, async () => {
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
  // Another label on a recipe changes its key; here only the key of the base changes.
  project.define(CHAIN.replace('to: "/base" }] })', 'to: "/base" }], hostEnv: ["UNUSED"] })'));
  assertEquals(await project.statuses(), {
    base: "built",
    middle: "cached",
    leaf: "cached",
    beside: "cached",
  });
});
