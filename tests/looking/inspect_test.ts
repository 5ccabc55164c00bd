import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Inspection } from "../../lib/oci/inspect.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { TestProject } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";

const LAYERED = `{
  images: {
    base: files({ layers: [{ from: "base", to: "/srv" }], cmd: ["/serve"], env: { A: "1" } }),
    top: files({ base: { image: "base" }, layers: [{ from: "top", to: "/srv" }], user: "7" }),
  },
}`;

async function layered(body = LAYERED): Promise<TestProject> {
  const project = await TestProject.create({
    "base/kept.txt": "kept as it is\n",
    "base/page.html": "first edition\n",
    "top/page.html": "second\n",
  });
  project.define(body);
  return project;
}

async function inspect(project: TestProject, ...args: string[]): Promise<Inspection[]> {
  const { code, stdout, stderr } = await project.images("inspect", ...args, "--json");
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout).images;
}

Deno.test("inspect tells config, layers with what made them, largest files and wasted bytes", async () => {
  await using project = await layered();
  const [image, ...others] = await inspect(project, "top");
  assert(image !== undefined);
  assertEquals(others, []);
  assertEquals(image.config.cmd, ["/serve"]);
  assertEquals(image.config["env A"], "1");
  assertEquals(image.config.user, "7");
  assertEquals(
    image.layers.map(({ files, bytes, createdBy }) => [files, bytes, createdBy]),
    [[2, 28, "files /srv"], [1, 7, "files /srv"]],
  );
  assertEquals(image.largest, [
    { path: "/srv/kept.txt", size: 14, layer: 0 },
    { path: "/srv/page.html", size: 7, layer: 1 },
  ]);
  assertEquals(image.wasted, {
    bytes: 14,
    files: [{ path: "/srv/page.html", size: 14, layer: 0, by: 1, how: "overwritten" }],
  });
  const { stdout } = await project.images("inspect", "top");
  assertStringIncludes(stdout, "14 B  layer 1, overwritten by 2  /srv/page.html");
});

Deno.test("inspect reads an exported layout as it reads the image", async () => {
  await using project = await layered();
  const layout = project.beside("layout");
  assertEquals((await project.images("export", "top", "--to", `oci:${layout}`)).code, 0);
  const [declared] = await inspect(project, "top");
  const [exported] = await inspect(project, `oci:${layout}`);
  assertEquals({ ...exported, name: "top" }, declared);
  assertEquals(await inspect(project, `oci:${layout}:top`), [exported]);
  const { code, stderr } = await project.images("inspect", `oci:${layout}:other`);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "write oci:FOLDER:NAME with one of its names: top");
});

Deno.test("inspect says what it takes where a name is unknown", async () => {
  await using project = await layered();
  const near = await project.images("inspect", "bas");
  assertEquals(near.code, 2);
  assertStringIncludes(near.stderr, 'did you mean "base"?');
  const far = await project.images("inspect", "something");
  assertStringIncludes(
    far.stderr,
    "name one of base, top, oci:FOLDER, or a reference with its host",
  );
});

Deno.test("inspect prints no control characters of an image's making", async () => {
  await using project = await TestProject.create({ "site/a\u001b[2Jb": "x" });
  project.define(
    `{ images: { site: files({ layers: [{ from: "site", to: "/" }], cmd: ["\\u001b]0;t\\u0007"] }) } }`,
  );
  const { code, stdout } = await project.images("inspect", "site");
  assertEquals(code, 0);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x09\x0b-\x1f]/.exec(stdout), null);
});

toolTest(
  ["docker-registry"],
  "inspect looks into a registry, at the platform that is asked for",
  async () => {
    await using registry = await startLoopbackRegistry();
    await using project = await layered(`{
    registries: { local: registry("${registry.host}") },
    images: {
      site: files({
        layers: [{ from: "base", to: "/srv" }],
        platforms: ["linux/amd64", "linux/arm64"],
      }),
    },
  }`);
    assertEquals((await project.images("push", "site")).code, 0);
    const reference = `${registry.host}/site:latest`;
    const [image, ...others] = await inspect(project, reference, "--platform", "linux/arm64");
    assert(image !== undefined);
    assertEquals(others, []);
    assertEquals(image.platform, "linux/arm64");
    assertEquals(image.largest.map(({ path }) => path), ["/srv/kept.txt", "/srv/page.html"]);
    assertEquals(image.layers[0]?.mediaType, "application/vnd.oci.image.layer.v1.tar+gzip");
    const local = await inspect(project, "site");
    assertEquals(local.map(({ platform }) => platform), ["linux/amd64", "linux/arm64"]);
    assertEquals(image.imageId, local[1]?.imageId);
    const missing = await project.images("inspect", `${registry.host}/site:nothing`);
    assertEquals(missing.code, 1);
    assertStringIncludes(missing.stderr, `There is no image ${registry.host}/site:nothing`);
  },
);

Deno.test("what cannot be built is told by inspect and diff, and is part of their documents", async () => {
  await using project = await layered(`{
    images: {
      base: files({ layers: [{ from: "base", to: "/srv" }] }),
      bad: files({ layers: [{ from: "missing", to: "/srv" }] }),
      above: files({ base: { image: "bad" }, layers: [{ from: "top", to: "/" }] }),
    },
  }`);
  for (
    const args of [
      ["inspect", "bad"],
      ["inspect", "above"],
      ["inspect", "bad", "--output", "terminal"],
      ["inspect", "bad", "-v"],
      ["inspect", "bad", "-q"],
      ["diff", "bad", "base"],
    ]
  ) {
    const { code, stdout, stderr } = await project.images(...args);
    assertEquals([code, stdout], [1, ""], args.join(" "));
    assertEquals(stderr.match(/There is nothing at "missing"/g)?.length, 1, args.join(" "));
    assertStringIncludes(stderr, "next: correct `from`");
    const { error, ok } = JSON.parse((await project.images(...args, "--json")).stdout);
    assertEquals([ok, error.message, error.where], [false, 'There is nothing at "missing"', "bad"]);
  }
  const { stderr } = await project.images("inspect", "above");
  assertStringIncludes(stderr, 'skipped above: Not built, since "bad" failed');
});
