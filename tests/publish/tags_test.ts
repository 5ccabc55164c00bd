import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf, declare, Git, manifestOf, outcomes, tagsIn, TOOLS } from "./rig.ts";

const IMAGE = `{ app: files({ layers: [{ from: "app", to: "/" }] }) }`;

async function appProject(host: string): Promise<TestProject> {
  const project = await TestProject.resident({ "app/version": "1\n", ".gitignore": ".images\n" });
  declare(project, { local: host }, IMAGE);
  return project;
}

toolTest([...TOOLS, "git"], "latest never moves back, in a shallow clone neither", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using project = await appProject(registry.host);
  const git = await Git.init(project.root);
  const old = await git.commit();
  project.write({ "app/version": "2\n" });
  const recent = await git.commit();
  await project.json(["push", "--all"]);
  const { digest } = await manifestOf(registry.host, "app", "latest");

  await t.step("an older commit is published and leaves latest where it was", async () => {
    await git.run("switch", "-q", "--detach", old);
    const { stderr, code } = await project.images("push", "--all");
    assertEquals(code, 0);
    assertStringIncludes(
      stderr,
      `latest stays: it stands for ${recent.slice(0, 12)}, which is newer`,
    );
    assertEquals((await manifestOf(registry.host, "app", "latest")).digest, digest);
    assertEquals(Object.keys(await tagsIn(registry.host, "app")).length, 3);
    assertEquals(outcomes(await project.json(["push", "--dry-run"])), {
      app: { content: "current", latest: "skipped" },
    });
  });

  await t.step("the same in a shallow clone, which fetches what it must know", async () => {
    await git.run("branch", "older", old);
    await using shallow = await TestProject.resident();
    const url = `file://${project.root}`;
    await runTool(["git", "clone", "-q", "--depth=1", "--branch=older", url, `${shallow.root}/c`]);
    const clone = await cloneOf({ root: `${shallow.root}/c`, env: {} } as TestProject);
    await using _ = clone;
    const document = await clone.json(["push", "--all"]);
    assertEquals(outcomes(document), { app: { content: "current", latest: "skipped" } });
    const [, latest] = imageOf(document, "app").destinations ?? [];
    assertEquals(latest?.digest, digest);
  });

  await t.step(
    "where git knows neither commit it moves, and says that it may be wrong",
    async () => {
      await using other = await appProject(registry.host);
      await (await Git.init(other.root)).commit("another history");
      const { stderr } = await other.images("push", "--all");
      assertStringIncludes(stderr, "latest moves, though it is not known whether");
      assert((await manifestOf(registry.host, "app", "latest")).digest !== digest);
    },
  );

  await t.step("--force moves it back, and forward it goes by itself", async () => {
    await git.run("switch", "-q", "main");
    assertEquals(outcomes(await project.json(["push", "--all"])).app?.latest, "retagged");
    await git.run("switch", "-q", "--detach", old);
    const forced = await project.json(["push", "--all", "--force"]);
    assertEquals(outcomes(forced), { app: { content: "pushed", latest: "retagged" } });
  });
});

toolTest(TOOLS, "promote moves tags without a build: release and rollback", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using project = await appProject(registry.host);
  await project.json(["push", "--all", "--tag", "v1"]);
  project.write({ "app/version": "2\n" });
  await project.json(["push", "--all"]);
  const tags = await tagsIn(registry.host, "app");

  await t.step("what images.ts describes now", async () => {
    const document = await project.json(["promote", "app", "--tag", "stable"]);
    assertEquals(outcomes(document), { app: { stable: "retagged" } });
    assertEquals((await tagsIn(registry.host, "app")).stable, tags.latest);
  });
  await t.step("back to what another tag stands for, wherever the files are", async () => {
    await using clone = await cloneOf(project);
    Deno.removeSync(clone.path("app"), { recursive: true });
    const { code, stderr } = await clone.images(
      "promote",
      "app",
      "--tag",
      "stable",
      "--from",
      "v1",
    );
    assertEquals([code, stderr.includes("app:stable retagged sha256:")], [0, true]);
    assertEquals((await tagsIn(registry.host, "app")).stable, tags.v1);
    const refs = await clone.images("refs", "app", "--from", "stable");
    assertEquals(refs.stdout, `${registry.host}/app@${tags.v1}\n`);
  });
  await t.step("again it is current, and nothing is built", async () => {
    const document = await project.json(["promote", "app", "--tag", "stable", "--from", "v1"]);
    assertEquals(outcomes(document), { app: { stable: "current" } });
  });
  await t.step("what is not there is a fault that says what to do", async () => {
    const missing = await project.images("promote", "app", "--tag", "x", "--from", "nowhere");
    assertEquals(missing.code, 1);
    assertStringIncludes(missing.stderr, `There is no ${registry.host}/app:nowhere`);
    project.write({ "app/version": "3\n" });
    const unpublished = await project.images("promote", "app", "--tag", "x");
    assertEquals(unpublished.code, 1);
    assertStringIncludes(unpublished.stderr, "run `images push app`");
    assertEquals((await project.images("promote", "app", "--tag", "content-1")).code, 2);
  });
});

const PULL_REQUEST = {
  GITHUB_ACTIONS: "true",
  GITHUB_EVENT_NAME: "pull_request",
  GITHUB_REF_TYPE: "branch",
  GITHUB_REF_NAME: "7/merge",
};

toolTest(TOOLS, "a pull request writes a cache of its own and moves no tag", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using project = await appProject(registry.host);
  Object.assign(project.env, PULL_REQUEST);
  const document = await project.json(["push", "--all"]);
  assertEquals(outcomes(document), { app: { content: "pushed", latest: "skipped" } });
  const { key = "" } = imageOf(document, "app");
  assertEquals(Object.keys(await tagsIn(registry.host, "app")), [`content-pr-${key.slice(0, 32)}`]);

  const statusElsewhere = async (env: Record<string, string>, options = "{}") => {
    await using clone = await cloneOf(project);
    Object.assign(
      clone.env,
      Object.fromEntries(Object.keys(PULL_REQUEST).map((k) => [k, ""])),
      env,
    );
    declare(clone, { local: [registry.host, options] }, IMAGE);
    return (await clone.statuses()).app;
  };
  await t.step("other pull requests read it", async () => {
    assertEquals(await statusElsewhere(PULL_REQUEST), "remote");
  });
  await t.step("nobody else does", async () => {
    assertEquals(await statusElsewhere({}), "built");
  });
  await t.step("unless images.ts trusts pull requests", async () => {
    assertEquals(await statusElsewhere({}, "{ trustPullRequests: true }"), "remote");
  });
  await t.step("a tag that is named moves", async () => {
    assertEquals(outcomes(await project.json(["push", "--all", "--tag", "pr-7"])), {
      app: { content: "current", "pr-7": "retagged" },
    });
  });
  await t.step("it reads what others published", async () => {
    project.write({ "app/version": "9\n" });
    await using trusted = await cloneOf(project);
    Object.assign(trusted.env, Object.fromEntries(Object.keys(PULL_REQUEST).map((k) => [k, ""])));
    await trusted.json(["push", "--all"]);
    assertEquals(outcomes(await project.json(["push", "--all"])), {
      app: { content: "current", latest: "skipped" },
    });
  });
});

toolTest(TOOLS, "in CI mutable tags move on the default branch only", async () => {
  await using registry = await startLoopbackRegistry();
  await using project = await appProject(registry.host);
  const gitlab = { GITLAB_CI: "true", CI_DEFAULT_BRANCH: "main", CI_COMMIT_SHA: "a".repeat(40) };
  Object.assign(project.env, gitlab, { CI_COMMIT_BRANCH: "topic" });
  const topic = await project.json(["push", "--all"]);
  assertEquals(outcomes(topic), { app: { content: "pushed", latest: "skipped" } });
  Object.assign(project.env, { CI_COMMIT_BRANCH: "main" });
  const main = await project.json(["push", "--all"]);
  assertEquals(outcomes(main), { app: { content: "current", latest: "retagged" } });
});
