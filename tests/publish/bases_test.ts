import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exists } from "../../lib/store/state.ts";
import { imageOf, TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf, declare, inspect, manifestOf, outcomes, TOOLS } from "./rig.ts";

/** Makes a base of two layers and pushes it with skopeo, as Docker's own format. */
async function pushBase(reference: string, marker: string): Promise<void> {
  await using project = await TestProject.resident({
    "etc/marker": `${marker}\n`,
    "usr/bin/tool": "#!/bin/sh\n",
  });
  project.define(`{ images: { base: files({
    layers: [{ from: "etc", to: "/etc" }, { from: "usr", to: "/usr" }], env: { FROM: "base" } }) } }`);
  await project.statuses();
  await runTool([
    ...["skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false"],
    ...["--format", "v2s2", `oci:${project.path(".images/oci")}:base`, `docker://${reference}`],
  ]);
}

const images = (base: string) =>
  `{
  site: files({ base: "${base}", layers: [{ from: "app", to: "/srv" }] }),
  app: dockerfile({ file: "Dockerfile" }),
}`;

async function projectOn(host: string): Promise<TestProject> {
  const base = `${host}/library/base:1`;
  const project = await TestProject.resident({
    "app/a.txt": "a\n",
    "Dockerfile": `FROM ${base}\nCMD ["tool"]\n`,
  });
  declare(project, { local: `${host}/team` }, images(base));
  return project;
}

toolTest(TOOLS, "images on a base of the same registry: its layers are mounted", async (t) => {
  await using registry = await startLoopbackRegistry();
  await pushBase(`${registry.host}/library/base:1`, "one");
  const raw = await inspectRaw(`${registry.host}/library/base:1`);
  assertStringIncludes(raw.mediaType, "vnd.docker.distribution.manifest.v2");
  await using project = await projectOn(registry.host);

  await t.step("a Dockerfile that copies nothing fetches manifest and config only", async () => {
    const before = registry.requests().length;
    await project.json(["build", "app"]);
    const blobs = registry.requests().slice(before).filter((each) => each.includes("/blobs/"));
    assertEquals(blobs, [`GET /v2/library/base/blobs/${raw.config.digest}`]);
  });
  await t.step("no layer of the base is uploaded", async () => {
    await project.json(["build"]);
    const before = registry.requests().length;
    assertEquals(outcomes(await project.json(["push"])), {
      site: { content: "pushed", latest: "retagged" },
      app: { content: "pushed", latest: "retagged" },
    });
    const requests = registry.requests().slice(before);
    assertEquals(requests.filter((each) => each.startsWith("PATCH")).length, 1);
    assertEquals(requests.filter((each) => each.includes("mount=")).length, 4);
    assertEquals(requests.filter((each) => /^GET .*\/blobs\//.test(each)), []);
    const { Layers, Env } = await inspect(`${registry.host}/team/site`);
    assertEquals([Layers.length, Env], [3, ["FROM=base"]]);
    const { json } = await manifestOf(registry.host, "team/app", "latest");
    assert(json.layers.every((layer: { mediaType: string }) => layer.mediaType.includes(".oci.")));
  });
  await t.step("nothing of the base was kept here", async () => {
    const { json } = await manifestOf(registry.host, "team/app", "latest");
    for (const { digest } of json.layers as { digest: string }[]) {
      assertEquals(exists(project.path(`.images/oci/blobs/sha256/${digest.slice(7)}`)), false);
    }
  });
});

async function inspectRaw(reference: string) {
  const command = ["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${reference}`];
  return JSON.parse((await runTool(command)).stdout);
}

toolTest(TOOLS, "images on a base of another registry: its layers are copied at push", async () => {
  await using library = await startLoopbackRegistry();
  await using registry = await startLoopbackRegistry();
  await pushBase(`${library.host}/library/base:1`, "one");
  await using project = await projectOn(library.host);
  declare(project, { local: registry.host }, images(`${library.host}/library/base:1`));
  await project.json(["push"]);
  const bundle = project.beside("bundle");
  await runTool([
    ...["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false"],
    ...[`docker://${registry.host}/site:latest`, `oci:${bundle}:site`],
  ]);
  const { Layers } = await inspect(`${registry.host}/site`);
  assertEquals(Layers.slice(0, 2), (await inspect(`${library.host}/library/base:1`)).Layers);
});

toolTest(TOOLS, "pin keeps a base; plan tells when it has moved", async (t) => {
  await using registry = await startLoopbackRegistry();
  const reference = `${registry.host}/library/base:1`;
  await pushBase(reference, "one");
  await using project = await projectOn(registry.host);

  await t.step("images.lock names the digest, and again nothing changes", async () => {
    assertEquals((await project.images("pin")).code, 0);
    const { Digest } = await inspect(reference);
    const lock = JSON.parse(Deno.readTextFileSync(project.path("images.lock")));
    assertEquals(lock, { schema: 1, bases: { [reference]: Digest } });
    const again = await project.images("pin");
    assertStringIncludes(again.stderr, "every base is pinned");
  });
  const built = await project.json(["build"]);
  await pushBase(reference, "two");
  await t.step("a moved base is reported as drift, and nothing is rebuilt", async () => {
    const { stdout } = await project.images("plan");
    assertStringIncludes(stdout, `base ${reference} has moved since it was pinned`);
    assertStringIncludes(stdout, "(app, site)");
    assertEquals((await project.json(["build", "--pull"])).totals, { cached: 2 });
  });
  await t.step("a clone builds on the pinned base", async () => {
    await using clone = await cloneOf(project);
    const document = await clone.json(["build", "--no-remote"]);
    assertEquals(imageOf(document, "app").imageId, imageOf(built, "app").imageId);
  });
  await t.step("pin --update takes the new one", async () => {
    assertEquals((await project.images("pin")).stderr.includes("every base is pinned"), true);
    assertEquals((await project.images("pin", "--update")).code, 0);
    const { images: rebuilt } = await project.json(["build"]);
    assertEquals(rebuilt.map(({ status }) => status), ["built", "built"]);
    assertEquals(rebuilt[0]?.reasons.map(({ kind }) => kind), ["base-changed"]);
  });
  await t.step(
    "a pin of a base that nothing is based on goes, though needs are not built",
    async () => {
      declare(
        project,
        { local: registry.host },
        `{ first: files({ layers: [{ from: "app", to: "/" }] }), app: dockerfile({ needs: ["first"] }) }`,
      );
      assertEquals((await project.images("pin")).code, 0);
      const kept = JSON.parse(Deno.readTextFileSync(project.path("images.lock")));
      assertEquals(Object.keys(kept.bases), [reference]);
      declare(project, {}, `{ first: files({ layers: [{ from: "app", to: "/" }] }) }`);
      assertStringIncludes((await project.images("pin")).stderr, "is no base any more");
    },
  );
});

toolTest(TOOLS, "an unpinned base is kept until plan, --pull or a rebuild asks", async () => {
  await using registry = await startLoopbackRegistry();
  const reference = `${registry.host}/library/base:1`;
  await pushBase(reference, "one");
  await using project = await projectOn(registry.host);
  await project.json(["build"]);
  await pushBase(reference, "two");
  const before = registry.requests().length;
  assertEquals((await project.json(["build"])).totals, { cached: 2 });
  assertEquals(registry.requests().slice(before), []);
  const planned = await project.json(["plan"]);
  assertEquals(planned.images.map(({ reasons }) => reasons[0]?.kind), [
    "base-changed",
    "base-changed",
  ]);
  assertEquals((await project.json(["build", "--pull"])).totals, { built: 2 });
});

toolTest(TOOLS, "what is wrong with a base is said, with what to do", async () => {
  await using registry = await startLoopbackRegistry();
  await pushBase(`${registry.host}/library/base:1`, "one");
  await using project = await projectOn(registry.host);
  const failing = async (base: string, options: string, message: string) => {
    declare(
      project,
      { local: registry.host },
      `{ site: files({ base: "${base}", layers: [{ from: "app", to: "/srv" }], ${options} }) }`,
    );
    const { code, stderr } = await project.images("build", "site");
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "next: ");
  };
  const host = registry.host;
  await failing(`${host}/library/none:1`, "", `There is no image ${host}/library/none:1`);
  const digest = `sha256:${"0".repeat(64)}`;
  await failing(`${host}/library/base@${digest}`, "", "no longer has the digest");
  await failing(
    `${host}/library/base:1`,
    'platforms: ["linux/s390x"]',
    "has no image for linux/s390x, only for linux/amd64",
  );
});
