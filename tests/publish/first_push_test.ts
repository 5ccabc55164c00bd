import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "../../lib/store/state.ts";
import type { TestProject } from "../support/project.ts";
import { FaultyRegistry, type FaultyRegistrySettings } from "../support/registry/server.ts";
import { startTokenServer, type TokenServer } from "../support/tokens.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf, declare, outcomes, siteProject } from "./rig.ts";

const ANN = { users: { ann: { password: "correct horse" } } };

/** A registry in which nothing was published yet, and which says so in its own way. */
interface Fresh extends AsyncDisposable {
  readonly registry: FaultyRegistry;
  /** The repositories that somebody has begun to write. */
  readonly begun: () => string[];
}

async function fresh(settings: FaultyRegistrySettings, tokens?: TokenServer): Promise<Fresh> {
  const registry = await FaultyRegistry.start({ ...settings, ...(tokens && { tokens }) });
  return {
    registry,
    begun: () => [
      ...new Set(
        registry.log.filter(({ kind, status }) => kind === "upload-begin" && status === 202)
          .map(({ path }) => /^\/v2\/(.+)\/blobs/.exec(path)?.[1] ?? ""),
      ),
    ],
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await tokens?.[Symbol.asyncDispose]();
    },
  };
}

/** Who asks for the right to write makes the repository; none but that can be read. */
async function quay(): Promise<Fresh> {
  const made = new Set<string>();
  const tokens = await startTokenServer({
    ...ANN,
    allow: (user, repository, wanted) => {
      if (user === "ann" && wanted.includes("push")) made.add(repository);
      return user === "ann" && made.has(repository) ? ["pull", "push"] : [];
    },
  });
  const found = await fresh({}, tokens);
  return { ...found, begun: () => [...made], [Symbol.asyncDispose]: found[Symbol.asyncDispose] };
}

/** The same with a refusal by the token server. */
async function strict(): Promise<Fresh> {
  const tokens = await startTokenServer({
    ...ANN,
    strict: true,
    allow: (user, _, wanted) => user === "ann" && wanted.includes("push") ? ["pull", "push"] : [],
  });
  return await fresh({}, tokens);
}

const basic = { user: "ann", password: "correct horse" };

const KINDS: Record<string, () => Promise<Fresh>> = {
  "Quay": quay,
  "a token server that refuses": strict,
  "Artifactory": () => fresh({ basic, quirks: { hidesAbsent: { status: 403, code: "DENIED" } } }),
  "one with passwords that says 401": () =>
    fresh({ basic, quirks: { hidesAbsent: { status: 401, code: "UNAUTHORIZED" } } }),
};

async function projectFor(registries: Record<string, FaultyRegistry>): Promise<TestProject> {
  const project = await siteProject(
    Object.fromEntries(
      Object.entries(registries).map(([name, { host }]) => [name, `${host}/team`]),
    ),
  );
  for (const name of Object.keys(registries)) {
    project.env[`IMAGES_${name.toUpperCase()}_USERNAME`] = "ann";
    project.env[`IMAGES_${name.toUpperCase()}_PASSWORD`] = "correct horse";
  }
  project.env.DOCKER_CONFIG = project.beside("docker");
  project.env.REGISTRY_AUTH_FILE = project.beside("auth.json");
  return project;
}

const PUSHED = { content: "pushed", latest: "retagged" };

for (const [kind, start] of Object.entries(KINDS)) {
  toolTest(
    ["openssl"],
    `a first push to ${kind} makes the repositories, a preview none`,
    async () => {
      await using rig = await start();
      await using project = await projectFor({ local: rig.registry });
      const preview = outcomes(await project.json(["push", "site", "app", "--dry-run"]));
      assertEquals(preview, { site: PUSHED, app: PUSHED });
      await project.json(["plan", "--for", "push"]);
      assertEquals(rig.begun(), []);
      assertEquals(outcomes(await project.json(["push", "--all", "--no-remote"])), {
        site: PUSHED,
        app: PUSHED,
        top: PUSHED,
      });
      assertEquals(Object.keys(rig.registry.store.tagsOf("team/site")).length, 2);
      await using clone = await cloneOf(project);
      const again = await clone.json(["push", "--all"]);
      assertEquals(again.totals, { remote: 3 });
    },
  );

  toolTest(["openssl"], `a pull request's first push to ${kind}, of an index`, async () => {
    await using rig = await start();
    await using project = await projectFor({ local: rig.registry });
    declare(
      project,
      { local: `${rig.registry.host}/team` },
      `{ site: files({
        layers: [{ from: "site", to: "/srv" }],
        platforms: ["linux/amd64", "linux/arm64"],
      }) }`,
    );
    Object.assign(project.env, {
      GITHUB_ACTIONS: "true",
      GITHUB_EVENT_NAME: "pull_request",
      GITHUB_REF: "refs/pull/1/merge",
    });
    const { images } = await project.json(["push", "site"]);
    assert(images.every(({ destinations = [] }) => destinations.length > 0));
    const tags = Object.keys(rig.registry.store.tagsOf("team/site"));
    assertEquals(tags.length, 3);
    for (const tag of tags) assertMatch(tag, /^content-pr-/);
  });

  toolTest(["openssl"], `what another registry holds is copied to ${kind}`, async () => {
    await using rig = await start();
    await using other = await FaultyRegistry.start();
    await using project = await projectFor({ local: rig.registry, other });
    await project.json(["push", "--all", "--to", "other"]);
    await using clone = await cloneOf(project);
    const copied = { content: "copied", latest: "retagged" };
    assertEquals(outcomes(await clone.json(["push", "--all", "--to", "local"])), {
      site: copied,
      app: copied,
      top: copied,
    });
  });
}

toolTest(["openssl"], "who may only read hears so before anything is built", async () => {
  const tokens = await startTokenServer({ ...ANN, allow: () => [] });
  await using rig = await fresh({}, tokens);
  await using project = await projectFor({ local: rig.registry });
  const marker = project.beside("built");
  declare(
    project,
    { local: `${rig.registry.host}/team` },
    `{ site: files({ needs: ["slow"], layers: [{ from: "site", to: "/srv" }] }) }`,
    `tasks: { slow: task({ inputs: ["app/**"], outputs: [], run: ["touch", "${marker}"] }) }`,
  );
  const { code, stderr } = await project.images("push", "--all");
  assertEquals(code, 1, stderr);
  assertStringIncludes(stderr, "Cannot upload a blob: the credentials from IMAGES_LOCAL_PASSWORD");
  assertStringIncludes(stderr, "use credentials that may write to the repository");
  assertEquals(exists(marker), false);
});

toolTest(["openssl"], "a tag that may not be looked at is moved, and promoted to", async () => {
  await using rig = await KINDS.Artifactory!();
  await using project = await projectFor({ local: rig.registry });
  await project.json(["push", "site"]);
  const { images } = await project.json(["promote", "site", "--tag", "stable"]);
  assertEquals(images[0]?.destinations?.map(({ status }) => status), ["retagged"]);
  const tags = rig.registry.store.tagsOf("team/site");
  assertEquals(tags.stable, tags.latest);
});

Deno.test("one repository that is refused hides no other, and is told of once", async (t) => {
  const refusals: Record<string, { status: number; headers?: Record<string, string> }> = {
    "401": { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
    "403": { status: 403 },
    "404": { status: 404 },
    "400": { status: 400 },
  };
  for (const [name, answer] of Object.entries(refusals)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start({
        campaign: (kind, { repository }) =>
          kind.startsWith("manifest-") && /team\/(?:aaa|aab)$/.test(repository)
            ? { answer }
            : undefined,
      });
      await using project = await projectFor({ local: registry });
      const image = '({ layers: [{ from: "site", to: "/srv" }], env: { ID: NAME } })';
      const images = ["aaa", "aab", "bbb", "ccc"].map((each) =>
        `${each}: files${image.replace("NAME", `"${each}"`)}`
      );
      declare(project, { local: `${registry.host}/team` }, `{ ${images.join(", ")} }`);
      await project.json(["push", "bbb", "ccc"]);
      await using clone = await cloneOf(project);
      const { code, stdout, stderr } = await clone.images("build", "-j1", "--json");
      assertEquals(code, 0, stderr);
      const statuses = JSON.parse(stdout).images.map(
        (each: { name: string; status: string }) => `${each.name} ${each.status}`,
      );
      assertEquals(statuses, ["aaa built", "aab built", "bbb remote", "ccc remote"]);
      const told = stderr.split("Going on without asking").length - 1;
      assertEquals(told, name === "404" ? 0 : 1, stderr);
    });
  }
});

Deno.test("a base that is refused ends what needs it, and no other of its registry", async () => {
  await using registry = await FaultyRegistry.start({
    campaign: (_, { repository }) =>
      repository === "team/secret" ? { answer: { status: 403 } } : undefined,
  });
  await using project = await projectFor({ local: registry });
  declare(
    project,
    { local: `${registry.host}/team` },
    `{ base: files({ layers: [{ from: "site", to: "/srv" }] }) }`,
  );
  await project.json(["push", "base"]);
  const on = (name: string) =>
    `files({ base: "${registry.host}/team/${name}", layers: [{ from: "app", to: "/app" }] })`;
  declare(project, {}, `{ bad: ${on("secret")}, good: ${on("base")} }`);
  const { code, stdout, stderr } = await project.images("build", "--keep-going", "--json");
  assertEquals(code, 1, stderr);
  const statuses = JSON.parse(stdout).images.map(
    (each: { name: string; status: string }) => `${each.name} ${each.status}`,
  );
  assertEquals(statuses, ["bad failed", "good built"]);
});

Deno.test("a base that cannot be had is named whole, with advice for who does not run its registry", async (t) => {
  const adviceFor = async (base: string) => {
    await using project = await siteProject({});
    declare(project, {}, `{ one: files({ base: "${base}", layers: [] }) }`);
    const { code, stderr } = await project.images("build", "one");
    assertEquals(code, 1, stderr);
    return stderr;
  };
  await t.step("nothing listens", async () => {
    const said = await adviceFor("localhost:1/team/base:3");
    assertStringIncludes(said, "localhost:1 cannot be reached from here, and one needs");
    assertStringIncludes(said, "one needs localhost:1/team/base:3");
    assertStringIncludes(said, "check the network");
  });
  await t.step("refused", async () => {
    await using registry = await FaultyRegistry.start({ basic });
    const said = await adviceFor(`${registry.host}/team/base`);
    assertStringIncludes(said, `${registry.host}/team/base:latest: Cannot read the manifest`);
    assertStringIncludes(said, `log in with \`docker login ${registry.host}\``);
  });
});
