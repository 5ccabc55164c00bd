/** Named contexts that are remote images, images in OCI layouts, and git repositories. */

import { assertEquals, assertMatch } from "@std/assert";
import type { Index } from "../../lib/model/oci.ts";
import { exported, filesIn, publishTool } from "./images.ts";
import { imageOf, TestProject } from "../support/project.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { Repository } from "./repository.ts";

/** A project of one Dockerfile with these contexts. */
async function projectWith(dockerfile: string, contexts: object): Promise<TestProject> {
  return await TestProject.resident(
    { "Dockerfile": dockerfile, "local/f": "local" },
    `{ images: { app: dockerfile({ contexts: ${JSON.stringify(contexts)} }) } }`,
  );
}

const ONE = { "/etc": "folder 0755 0:0", "/etc/marker": "file 0644 0:0 one" };

toolTest(["docker-registry"], "docker-image:// stands in the place of a name", async (t) => {
  await using registry = await startLoopbackRegistry();
  await publishTool(registry.host, "one");
  const tool = `docker-image://${registry.host}/tool:1`;
  const places: [string, string, object][] = [
    ["a context's name", "FROM base\n", { base: tool }],
    ["an image reference", "FROM alpine:3.19\n", { "alpine:3.19": tool }],
    ["a reference written in full", "FROM docker.io/library/alpine:3.19\n", {
      "alpine:3.19": tool,
    }],
    ["a stage's name", "FROM scratch AS made\nCOPY local /\nFROM made\n", { made: tool }],
    ["COPY --from", "FROM scratch\nCOPY --from=base /etc /etc\n", { base: tool }],
    [
      "COPY --from of a reference",
      "FROM scratch\nCOPY --from=busybox /etc /etc\n",
      { busybox: tool },
    ],
  ];
  for (const [name, dockerfile, contexts] of places) {
    await t.step(name, async () => {
      await using project = await projectWith(dockerfile, contexts);
      assertEquals(await project.statuses("app"), { app: "built" });
      assertEquals(await filesIn(project, "app"), ONE);
    });
  }
  await t.step("docker-image://scratch is empty", async () => {
    await using project = await projectWith("FROM base\nCOPY local /\n", {
      base: "docker-image://scratch",
    });
    assertEquals(await project.statuses("app"), { app: "built" });
    assertEquals(await filesIn(project, "app"), { "/f": "file 0644 0:0 local" });
  });
});

toolTest(
  ["docker-registry"],
  "images of COPY and contexts follow the rules of bases",
  async (t) => {
    for (const from of ["context", "reference"]) {
      await using registry = await startLoopbackRegistry();
      await publishTool(registry.host, "one");
      const reference = `${registry.host}/tool:1`;
      await using project = await projectWith(
        `FROM scratch\nCOPY --from=${from === "context" ? "tool" : reference} /etc /etc\n`,
        from === "context" ? { tool: `docker-image://${reference}` } : {},
      );
      await t.step(`${from}: a moved tag is seen by plan and --pull, and by no other`, async () => {
        assertEquals(await project.statuses("app"), { app: "built" });
        await publishTool(registry.host, "two");
        const before = registry.requests().length;
        assertEquals(await project.statuses("app"), { app: "cached" });
        assertEquals(registry.requests().length, before);
        const planned = imageOf(await project.json(["plan"]), "app");
        assertEquals(planned.reasons.map(({ kind, path }) => [kind, path]), [
          ["base-changed", reference],
        ]);
        assertEquals(await project.statuses("app", "--pull"), { app: "built" });
        assertEquals((await filesIn(project, "app"))["/etc/marker"], "file 0644 0:0 two");
      });
      await t.step(`${from}: pin holds it`, async () => {
        assertEquals((await project.images("pin")).code, 0);
        await publishTool(registry.host, "three");
        assertEquals(await project.statuses("app", "--pull"), { app: "cached" });
        assertMatch((await project.images("plan")).stdout, /has moved since it was pinned/);
        assertEquals((await project.images("pin", "--update")).code, 0);
        assertEquals(await project.statuses("app"), { app: "built" });
        assertEquals((await filesIn(project, "app"))["/etc/marker"], "file 0644 0:0 three");
      });
    }
  },
);

Deno.test("oci-layout:// takes the image that a layout names", async (t) => {
  await using project = await TestProject.resident({ "etc/marker": "one" });
  const make = (marker: string, contexts: string) => {
    project.write({ "etc/marker": marker });
    project.define(`{ images: {
      tool: files({ layers: [{ from: "etc", to: "/etc" }], env: { MARK: "x" } }),
      app: dockerfile({ contexts: { tool: ${JSON.stringify(contexts)} } }) } }`);
  };
  project.write({ "Dockerfile": "FROM tool\nCOPY --from=tool /etc/marker /again\n" });
  make("one", "oci-layout://out/tool");
  await project.json(["build", "tool"]);
  await project.images("export", "tool", "--to", `oci:${project.path("out/tool")}`);
  const files = (text: string) => ({
    "/again": `file 0644 0:0 ${text}`,
    "/etc": "folder 0755 0:0",
    "/etc/marker": `file 0644 0:0 ${text}`,
  });
  await t.step("without a tag the only one", async () => {
    assertEquals((await project.statuses("app")).app, "built");
    assertEquals(await filesIn(project, "app"), files("one"));
    assertEquals((await exported(project, "app")).config.config?.Env?.[0], "MARK=x");
  });
  await t.step("its digest is the key, wherever the layout lies", async () => {
    await Deno.rename(project.path("out/tool"), project.path("out/other"));
    const { index } = layoutOf(project, "out/other");
    for (const rest of ["", `@${index.manifests[0]!.digest}`]) {
      make("one", `oci-layout://out/other${rest}`);
      assertEquals((await project.statuses("app")).app, "cached");
    }
  });
  await t.step("a layout that is written again is another base", async () => {
    make("two", "oci-layout://out/other");
    await project.json(["build", "tool"]);
    await Deno.remove(project.path("out/other"), { recursive: true });
    await project.images("export", "tool", "--to", `oci:${project.path("out/other")}`);
    assertEquals((await project.statuses("app")).app, "built");
    assertEquals(await filesIn(project, "app"), files("two"));
  });
  await t.step("what is not there is a fault", async () => {
    make("two", "oci-layout://out/none");
    assertMatch((await project.images("build", "app")).stderr, /There is no OCI layout/);
    make("two", "oci-layout://out/other:none");
    assertMatch((await project.images("build", "app")).stderr, /has no image "none"/);
  });
  await t.step("a damaged layer is a fault", async () => {
    make("three", "oci-layout://out/other");
    await project.json(["build", "tool"]);
    await Deno.remove(project.path("out/other"), { recursive: true });
    await project.images("export", "tool", "--to", `oci:${project.path("out/other")}`);
    const { blob, index } = layoutOf(project, "out/other");
    const manifest = JSON.parse(Deno.readTextFileSync(blob(index.manifests[0]!.digest)));
    const layer = blob(manifest.layers[0].digest);
    const bytes = Deno.readFileSync(layer);
    bytes[600]! ^= 1;
    Deno.writeFileSync(layer, bytes);
    assertMatch(
      (await project.images("build", "app")).stderr,
      /is damaged[^]*write the layout again/,
    );
  });
});

toolTest(["git"], "a repository is a context", async () => {
  await using repository = await Repository.create();
  await repository.commit({ "api/f": "one", "other": "x" });
  const contexts = { src: repository.url("#main:api") };
  await using project = await projectWith(
    "FROM src\nCOPY --from=src f /copied\n",
    contexts,
  );
  assertEquals(await project.statuses("app"), { app: "built" });
  assertEquals(await filesIn(project, "app"), {
    "/copied": "file 0644 0:0 one",
    "/f": "file 0644 0:0 one",
  });
  await repository.commit({ "api/f": "two" });
  assertEquals(await project.statuses("app"), { app: "cached" });
  assertEquals(await project.statuses("app", "--pull"), { app: "built" });
  assertEquals((await filesIn(project, "app"))["/copied"], "file 0644 0:0 two");
});

Deno.test("a context that is none is refused when images.ts is loaded", async (t) => {
  for (const context of ["target:base", "ftp://x/y", "oci-layout://", "oci-layout://../x"]) {
    await t.step(context, async () => {
      await using project = await projectWith("FROM base\n", { base: context });
      const { code, stderr } = await project.images("list");
      assertEquals(code, 2);
      assertMatch(stderr, /images\.ts:\d+:\d+/);
    });
  }
});

function layoutOf(project: TestProject, path: string) {
  const folder = project.path(path);
  const index: Index = JSON.parse(Deno.readTextFileSync(`${folder}/index.json`));
  const blob = (digest: string) => `${folder}/blobs/${digest.replace(":", "/")}`;
  return { index, blob };
}
