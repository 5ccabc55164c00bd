import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ResultDocument } from "../../lib/model/result.ts";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf, declare, inspect, manifestOf, tagsIn, TOOLS } from "./rig.ts";

const PLATFORMS = ["linux/amd64", "linux/arm64"];

const IMAGES = `{
  base: files({ platforms: ${JSON.stringify(PLATFORMS)}, layers: [{ from: "app", to: "/" }] }),
  app: dockerfile({ platforms: ${
  JSON.stringify(PLATFORMS)
}, contexts: { base: { image: "base" } } }),
}`;

async function twoPlatforms(host: string): Promise<TestProject> {
  const project = await TestProject.resident({
    "app/a.txt": "a\n",
    "Dockerfile": "FROM base\nARG TARGETARCH\nCOPY app /srv\nENV ARCH=$TARGETARCH\n",
  });
  declare(project, { local: host }, IMAGES);
  return project;
}

/** Platform (or `index`) → destination statuses of an image. */
function byPlatform(document: ResultDocument, name: string): Record<string, string[]> {
  return Object.fromEntries(
    document.images.filter((each) => each.name === name).map(({ platform, destinations }) => [
      platform,
      (destinations ?? []).map(({ status }) => status),
    ]),
  );
}

function entryOf(document: ResultDocument, name: string, platform: string) {
  return document.images.find((each) => each.name === name && each.platform === platform)!;
}

const PUSHED = {
  "linux/amd64": ["pushed"],
  "linux/arm64": ["pushed"],
  index: ["pushed", "retagged"],
};
const CURRENT = {
  "linux/amd64": ["current"],
  "linux/arm64": ["current"],
  index: ["current", "current"],
};

toolTest(TOOLS, "an image of several platforms is published as an index", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using project = await twoPlatforms(registry.host);
  const document = await project.json(["push", "--all"]);
  const index = entryOf(document, "app", "index");

  await t.step(
    "each platform has its content tag, and the mutable tags name the index",
    async () => {
      assertEquals(byPlatform(document, "app"), PUSHED);
      const tags = await tagsIn(registry.host, "app");
      const platforms = PLATFORMS.map((platform) => entryOf(document, "app", platform));
      const content = [...platforms.map(({ tag }) => tag ?? ""), index.tag ?? ""];
      assertEquals(Object.keys(tags).sort(), [...content, "latest"].sort());
      assertEquals(tags.latest, tags[index.tag ?? ""]);
      const { json } = await manifestOf(registry.host, "app", "latest");
      assertEquals(json.annotations["dev.images.key"], index.key);
      assertEquals(
        json.manifests.map((each: { digest: string; platform: unknown }) => [
          each.digest,
          each.platform,
        ]),
        platforms.map(({ tag, platform }) => [
          tags[tag ?? ""],
          { architecture: platform.slice("linux/".length), os: "linux" },
        ]),
      );
    },
  );
  await t.step("one platform alone leaves the mutable tags on the index", async () => {
    const before = await tagsIn(registry.host, "app");
    const alone = await project.json(["push", "app", "--platform", "linux/arm64"]);
    const { destinations = [] } = entryOf(alone, "app", "linux/arm64");
    assertEquals(destinations.map(({ status }) => status), ["current", "skipped"]);
    assertEquals(await tagsIn(registry.host, "app"), before);
  });
  await t.step("skopeo finds the image of each", async () => {
    for (const arch of ["amd64", "arm64"]) {
      const { stdout } = await runTool([
        ...["skopeo", "--override-arch", arch, "inspect", "--config", "--tls-verify=false"],
        `docker://${registry.host}/app:latest`,
      ]);
      const config = JSON.parse(stdout);
      assertEquals([config.architecture, config.config.Env.includes(`ARCH=${arch}`)], [arch, true]);
    }
  });
  await t.step("again, and in a clone: each tag is asked for once", async () => {
    await using clone = await cloneOf(project);
    for (const each of [project, clone]) {
      const before = registry.requests().length;
      const again = await each.json(["push", "--all"]);
      assertEquals([byPlatform(again, "base"), byPlatform(again, "app")], [CURRENT, CURRENT]);
      const requests = registry.requests().slice(before).filter((line) => line !== "GET /v2/");
      assertEquals(requests.length, 8);
      assertEquals(new Set(requests).size, 8);
    }
    await using fresh = await cloneOf(project);
    const { images } = await fresh.json(["build", "app"]);
    const found = images.find(({ name, platform }) => name === "app" && platform === "index");
    assertEquals([found?.status, found?.digest], [
      "remote",
      (await tagsIn(registry.host, "app")).latest,
    ]);
  });
  await t.step("what several machines published is joined without a build", async () => {
    await using other = await cloneOf(project);
    await using registry2 = await startLoopbackRegistry();
    declare(other, { local: registry2.host }, IMAGES);
    for (const platform of PLATFORMS) {
      await using machine = await cloneOf(other);
      const tag = platform.replace("/", "-");
      await machine.json(["push", "--all", "--platform", platform, "--tag", tag]);
    }
    const joined = await other.json(["push", "--all"]);
    assertEquals(joined.totals, { remote: 6 });
    assertEquals(byPlatform(joined, "app"), { ...CURRENT, index: ["pushed", "retagged"] });
    const there = (await manifestOf(registry2.host, "app", "latest")).json.manifests;
    assertEquals(there.length, 2);
  });
  await t.step("it is copied with all its platforms", async () => {
    await using other = await cloneOf(project);
    await using overlay = await startLoopbackRegistry();
    declare(other, { upstream: registry.host, overlay: `${overlay.host}/team` }, IMAGES);
    const copied = await other.json(["push", "app", "--to", "overlay"]);
    assertEquals(byPlatform(copied, "app"), {
      "linux/amd64": ["copied"],
      "linux/arm64": ["copied"],
      index: ["copied", "retagged"],
    });
    assertEquals(await tagsIn(overlay.host, "team/app"), await tagsIn(registry.host, "app"));
    assertEquals((await inspect(`${overlay.host}/team/app`)).Architecture, "amd64");
  });
  await t.step("export writes an index; a Docker archive takes one platform", async () => {
    const archive = project.beside("app.tar");
    await project.json(["export", "app", "--to", `oci-archive:${archive}`]);
    const { stdout } = await runTool(["skopeo", "inspect", "--raw", `oci-archive:${archive}`]);
    assertEquals(JSON.parse(stdout).manifests.length, 2);
    const docker = ["export", "app", "--to", `docker-archive:${project.beside("d.tar")}`];
    const refused = await project.images(...docker);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "--platform");
    await project.json([...docker, "--platform", "linux/arm64"]);
    const inspected = await runTool([
      "skopeo",
      "inspect",
      `docker-archive:${project.beside("d.tar")}`,
    ]);
    assertEquals(JSON.parse(inspected.stdout).Architecture, "arm64");
  });
});
