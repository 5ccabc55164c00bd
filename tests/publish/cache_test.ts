import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf, declare, manifestOf, outcomes, tagsIn, TOOLS } from "./rig.ts";

/** Two images, one on the other, whose bits differ from build to build under the same keys. */
const DRIFTING = `{
  base: files({ needs: ["stamp"], layers: [{ from: "dist", to: "/srv" }] }),
  top: files({ base: { image: "base" }, layers: [{ from: "app", to: "/app" }] }),
}`;

const STAMP = `tasks: {
  stamp: task({
    inputs: ["app/**"],
    outputs: ["dist/**"],
    run: ["sh", "-c", "mkdir -p dist && cat /proc/sys/kernel/random/uuid > dist/stamp"],
  }),
}`;

async function driftingProject(host: string): Promise<TestProject> {
  const project = await TestProject.resident({ "app/a.txt": "a\n" });
  declare(project, { local: host }, DRIFTING, STAMP);
  return project;
}

toolTest(TOOLS, "the registry's image under a key replaces the local one", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using project = await driftingProject(registry.host);
  await using clone = await cloneOf(project);
  const here = await project.json(["build"]);
  await clone.json(["push", "base"]);
  const published = await clone.json(["build"]);
  const id = (document: typeof here, name: string) => imageOf(document, name).imageId;
  assert(id(here, "base") !== id(published, "base"));
  assertEquals(imageOf(here, "base").key, imageOf(published, "base").key);

  await t.step("dependents are keyed and built on it", async () => {
    const document = await project.json(["push", "--all"]);
    assertEquals(outcomes(document), {
      base: { content: "current", latest: "current" },
      top: { content: "pushed", latest: "retagged" },
    });
    assertEquals(id(document, "base"), id(published, "base"));
    assertEquals(imageOf(document, "top").key, imageOf(published, "top").key);
    assertEquals(id(document, "top"), id(published, "top"));
    assertEquals((await project.json(["build"])).totals, { cached: 3 });
    assertEquals(outcomes(await clone.json(["push", "--all"])).top, {
      content: "current",
      latest: "current",
    });
  });

  await t.step("--force overwrites it", async () => {
    const document = await project.json(["push", "base", "--force"]);
    assertEquals(outcomes(document), { base: { content: "pushed", latest: "retagged" } });
    const { json } = await manifestOf(registry.host, "base", "latest");
    assertEquals(json.config.digest, imageOf(document, "base").imageId);
    assert(json.config.digest !== id(published, "base"));
  });

  await t.step("another key under the content tag is a miss", async () => {
    const { tag = "" } = imageOf(published, "top");
    const { json } = await manifestOf(registry.host, "top", tag);
    json.annotations["dev.images.key"] = "0".repeat(64);
    const response = await fetch(`http://${registry.host}/v2/top/manifests/${tag}`, {
      method: "PUT",
      headers: { "content-type": json.mediaType },
      body: JSON.stringify(json),
    });
    assertEquals(response.status, 201);
    await response.body?.cancel();
    await using other = await cloneOf(clone);
    const document = await other.json(["plan", "top"]);
    assert(imageOf(document, "top").verdict !== "remote");
  });
});

toolTest(TOOLS, "what another declared registry holds is copied, not built", async (t) => {
  await using upstream = await startLoopbackRegistry();
  await using overlay = await startLoopbackRegistry();
  await using project = await driftingProject(upstream.host);
  const registries = {
    upstream: [`${upstream.host}/org`, '{ visibility: "public" }'],
    overlay: `${overlay.host}/group`,
  } as const;
  declare(project, registries, DRIFTING, STAMP);
  const published = await project.json(["push", "--all", "--to", "upstream"]);
  await using clone = await cloneOf(project);

  await t.step("a dry run says so", async () => {
    assertEquals(outcomes(await clone.json(["push", "--to", "overlay", "--dry-run"])), {
      base: { content: "copied", latest: "retagged" },
      top: { content: "copied", latest: "retagged" },
    });
  });
  await t.step("byte for byte", async () => {
    const document = await clone.json(["push", "--all", "--to", "overlay"]);
    assertEquals(document.totals, { remote: 2, skipped: 1 });
    assertEquals(outcomes(document), {
      base: { content: "copied", latest: "retagged" },
      top: { content: "copied", latest: "retagged" },
    });
    for (const name of ["base", "top"]) {
      const copied = await tagsIn(overlay.host, `group/${name}`);
      assertEquals(copied, await tagsIn(upstream.host, `org/${name}`));
      assertEquals(copied.latest, imageOf(published, name).destinations?.[1]?.digest);
    }
  });
  await t.step("a registry that is not the destination may be gone", async () => {
    await using other = await cloneOf(project);
    other.write({ "app/a.txt": "b\n" });
    declare(other, { ...registries, gone: "localhost:1/x" }, DRIFTING, STAMP);
    const { code, stderr } = await other.images("push", "--all", "--to", "overlay");
    assertEquals(code, 0);
    assertEquals(stderr.split("Going on without asking localhost:1").length, 2, stderr);
    const gone = await other.images("push", "--all", "--to", "gone");
    assertEquals(gone.code, 1);
  });
});

const PUBLIC = '{ visibility: "public" }';

toolTest(
  TOOLS,
  "what is private stays out of public images, before anything is built",
  async (t) => {
    await using registry = await startLoopbackRegistry();
    await using project = await TestProject.resident({
      "app/a.txt": "a\n",
      "Dockerfile": `FROM ${registry.host}/group/base:1\nCOPY app /app\n`,
    });
    const registries = {
      upstream: [`${registry.host}/org`, PUBLIC],
      overlay: `${registry.host}/group`,
    } as const;
    const layers = 'layers: [{ from: "app", to: "/" }]';
    const refused = async (images: string, ...names: string[]) => {
      declare(project, registries, images);
      const { code, stderr } = await project.images("push", "--all", "--to", "upstream");
      assertEquals([code, stderr.includes("building")], [2, false], stderr);
      for (const name of names) assertStringIncludes(stderr, name);
    };
    await t.step("a needed image that only goes to a private registry", async () => {
      await refused(
        `{ other: files({ ${layers}, registries: ["upstream"] }),
         secret: files({ ${layers}, registries: ["overlay"] }),
         middle: files({ ${layers}, base: { image: "secret" } }),
         open: files({ ${layers}, base: { image: "middle" }, registries: ["upstream"] }) }`,
        '"middle" for the public upstream needs "secret"',
        "overlay",
        "next: publish what it is made of too",
      );
    });
    await t.step("a base that lies in a private registry", async () => {
      await refused(
        `{ plain: files({ ${layers} }), app: dockerfile({}) }`,
        `"app" for the public upstream is based on ${registry.host}/group/base:1`,
        "the private overlay",
      );
    });
    await t.step("the base of something it needs", async () => {
      await refused(
        `{ under: files({ ${layers}, base: "${registry.host}/group/base:1" }),
         app: files({ ${layers}, base: { image: "under" }, registries: ["upstream"] }) }`,
        `is based on ${registry.host}/group/base:1`,
      );
    });
    await t.step(
      "a recipe that does not name the registry is skipped, or refused by name",
      async () => {
        declare(
          project,
          registries,
          `{ open: files({ ${layers} }), inner: files({ ${layers}, registries: ["overlay"] }) }`,
        );
        const document = await project.json(["push", "--all", "--to", "upstream"]);
        assertEquals(outcomes(document).open, { content: "pushed", latest: "retagged" });
        assertEquals(imageOf(document, "inner").destinations?.map(({ status }) => status), [
          "skipped",
        ]);
        const { code, stderr } = await project.images("push", "inner", "--to", "upstream");
        assertEquals(code, 2);
        assertStringIncludes(stderr, '"inner" does not go to upstream, only to overlay');
      },
    );
  },
);
