import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { imageOf } from "../support/project.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import {
  cloneOf,
  declare,
  Git,
  inspect,
  manifestOf,
  outcomes,
  siteProject,
  tagsIn,
  TOOLS,
} from "./rig.ts";

const PUSHED = { content: "pushed", latest: "retagged" };
const CURRENT = { content: "current", latest: "current" };

toolTest(TOOLS, "push publishes once; after that, anywhere, everything is current", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using project = await siteProject({ local: `${registry.host}/Team` });
  const first = await project.json(["push", "--all"]);

  await t.step("skopeo finds each image under its content tag and latest", async () => {
    assertEquals(outcomes(first), { site: PUSHED, app: PUSHED, top: PUSHED });
    for (const { name, tag, imageId } of first.images) {
      const repository = `${registry.host}/team/${name}`;
      const content = await inspect(`${repository}:${tag}`);
      assertEquals((await inspect(`${repository}:latest`)).Digest, content.Digest);
      const { json } = await manifestOf(registry.host, `team/${name}`, "latest");
      assertEquals(json.config.digest, imageId);
      assertEquals(json.annotations["dev.images.key"], imageOf(first, name).key);
      const [, latest] = imageOf(first, name).destinations ?? [];
      assertEquals(latest?.digest, content.Digest);
    }
    const config = await inspect(`${registry.host}/team/top`, "--config");
    assertEquals(config.rootfs.diff_ids.length, 2);
    assertEquals(config.config.Cmd, ["/serve"]);
  });

  await t.step("again: nothing is uploaded, and each tag is asked for once", async () => {
    const before = registry.requests().length;
    assertEquals(outcomes(await project.json(["push", "--all"])), {
      site: CURRENT,
      app: CURRENT,
      top: CURRENT,
    });
    const requests = registry.requests().slice(before).filter((each) => each !== "GET /v2/");
    assertEquals([...new Set(requests)].length, requests.length);
    assert(requests.every((each) => /^(GET|HEAD) \/v2\/team\/\w+\/manifests\//.test(each)));
    assertEquals(requests.length, 6);
  });

  await t.step("a clone with nothing built builds nothing, and downloads nothing", async () => {
    await using clone = await cloneOf(project);
    const before = registry.requests().length;
    const document = await clone.json(["push", "--all"]);
    assertEquals(document.totals, { remote: 3 });
    assertEquals(outcomes(document), { site: CURRENT, app: CURRENT, top: CURRENT });
    assertEquals(document.images.map((each) => each.imageId), first.images.map((i) => i.imageId));
    const blobs = registry.requests().slice(before).filter((each) => each.includes("/blobs/"));
    assertEquals(blobs, []);
  });

  await t.step("build takes from the registry too, unless told not to ask", async () => {
    await using clone = await cloneOf(project);
    assertEquals((await clone.json(["build"])).totals, { remote: 3 });
    assertEquals((await clone.json(["build"])).totals, { cached: 3 });
    await using other = await cloneOf(project);
    assertEquals((await other.json(["build", "--no-remote"])).totals, { built: 3 });
  });

  await t.step("plan --for push and push --dry-run say so, and change nothing", async () => {
    const before = registry.requests().length;
    const planned = await project.json(["plan", "--for", "push"]);
    assertEquals(outcomes(planned), { site: CURRENT, app: CURRENT, top: CURRENT });
    project.write({ "app/run.sh": "#!/bin/sh\necho other\n" });
    assertEquals(outcomes(await project.json(["push", "--dry-run"])), {
      site: CURRENT,
      app: PUSHED,
      top: PUSHED,
    });
    const { stdout } = await project.images("plan", "--for", "push", "app");
    assertMatch(stdout, /build .*\n.*\n.*pushed {2}localhost:\d+\/team\/app:content-/);
    const writes = registry.requests().slice(before).filter((each) => !/^(GET|HEAD) /.test(each));
    assertEquals(writes, []);
  });

  await t.step("a change uploads the changed layer only", async () => {
    const before = registry.requests().length;
    assertEquals(outcomes(await project.json(["push", "top"])), { top: PUSHED });
    const uploads = registry.requests().slice(before).filter((each) => each.startsWith("PATCH"));
    assertEquals(uploads.length, 1);
  });

  await t.step("refs tells what is published, for deployments", async () => {
    const { digest } = await manifestOf(registry.host, "team/top", "latest");
    const reference = `${registry.host}/team/top@${digest}`;
    const printed = async (...args: string[]) => (await project.images("refs", ...args)).stdout;
    assertEquals(await printed("top"), `${reference}\n`);
    assertEquals(await printed("top", "--format", "env"), `TOP_IMAGE=${reference}\n`);
    assertStringIncludes(await printed("top", "--format", "compose"), `image: ${reference}`);
    assertStringIncludes(await printed("top", "--format", "kustomize"), `digest: ${digest}`);
    const json = JSON.parse(await printed("top", "--format", "json"));
    assertEquals(json.refs, { top: reference });
    // `app` was changed and not pushed since: asked for alone that is a fault.
    assertEquals((await project.images("refs", "app")).code, 1);
    assertEquals((await project.images("refs")).code, 0);
  });
});

toolTest(
  TOOLS,
  "build --push goes on from the build; --tag replaces the recipe's tags",
  async () => {
    await using registry = await startLoopbackRegistry();
    await using project = await siteProject({ local: registry.host });
    const document = await project.json([
      "build",
      "site",
      "--push",
      "--tag",
      "one",
      "--tag",
      "two",
    ]);
    assertEquals(document.command, "build");
    assertEquals(outcomes(document), {
      site: { content: "pushed", one: "retagged", two: "retagged" },
    });
    const { tag = "" } = imageOf(document, "site");
    assertEquals(Object.keys(await tagsIn(registry.host, "site")), [tag, "one", "two"]);
    assertEquals((await project.images("push", "site", "--tag", "content-x")).code, 2);
  },
);

toolTest(TOOLS, "what git says is annotated where the content tag is first written", async () => {
  await using registry = await startLoopbackRegistry();
  await using project = await siteProject({ local: registry.host });
  const git = await Git.init(project.root);
  project.write({ ".gitignore": ".images\n" });
  const first = await git.commit();
  await git.run("remote", "add", "origin", "git@git.example.com:team/images.git");
  await git.run("tag", "v1.0");
  await project.json(["push", "site"]);
  const { json } = await manifestOf(registry.host, "site", "latest");
  const annotation = (name: string) => json.annotations[`org.opencontainers.image.${name}`];
  assertEquals(annotation("revision"), first);
  assertEquals(annotation("source"), "https://git.example.com/team/images");
  assertEquals(annotation("version"), "v1.0");
  assertMatch(annotation("created"), /^\d{4}-\d\d-\d\dT/);

  await git.commit("nothing");
  const again = await project.json(["push", "site"]);
  assertEquals(outcomes(again), { site: CURRENT });

  declare(
    project,
    { local: registry.host },
    `{ plain: files({ layers: [{ from: "site", to: "/" }], annotations: { a: "b" },
      tags: ["at-{revision}", "{branch}", "{git-tag}"] }) }`,
    "gitAnnotations: false",
  );
  const second = await git.run("rev-parse", "HEAD");
  const document = await project.json(["push", "plain"]);
  assertEquals(outcomes(document), {
    plain: { content: "pushed", [`at-${second}`]: "retagged", main: "retagged" },
  });
  const { json: plain } = await manifestOf(registry.host, "plain", "main");
  assertEquals(plain.annotations, { a: "b", "dev.images.key": imageOf(document, "plain").key });
});
