/** What an image's timeout ends: that image, and nothing that others wait for. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ResultDocument } from "../../lib/model/result.ts";
import { imageOf, TestProject } from "../support/project.ts";
import { FaultyRegistry } from "../support/registry/server.ts";

const OUT_OF_TIME = /longer than its timeout of 0\.2 s/;

/** Builds `slow` and `fast` side by side; `release` is called when `slow` has run out of time. */
async function built(project: TestProject, release: () => void): Promise<ResultDocument> {
  const child = project.spawn(
    ...["build", "slow", "fast", "--keep-going", "--jobs", "2", "--output", "plain", "--json"],
  );
  const document = new Response(child.stdout).json();
  let said = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const before = OUT_OF_TIME.test(said);
    said += text;
    if (!before && OUT_OF_TIME.test(said)) release();
  }
  assertEquals((await child.status).code, 1, said);
  return await document;
}

Deno.test("a base that both read is pulled for the other", async () => {
  await using registry = await FaultyRegistry.start();
  await using project = await TestProject.create({
    "app/a.txt": "a\n",
    Dockerfile: `FROM ${registry.host}/base:latest\nCOPY app /app\n`,
  });
  const local = `registries: { local: registry("${registry.host}", {}) }`;
  project.define(`{ ${local}, images: { base: files({ layers: [{ from: "app", to: "/" }] }) } }`);
  await project.json(["push"]);
  await Deno.remove(project.path(".images"), { recursive: true });
  project.define(`{ images: { slow: dockerfile({ timeout: 0.2 }), fast: dockerfile({}) } }`);

  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  // The config comes at once, the layer does not.
  registry.interfere("blob-get", {}, { wait: () => released }, { wait: () => released });
  const document = await built(project, release);
  assertMatch(imageOf(document, "slow").error?.message ?? "", OUT_OF_TIME);
  assertEquals(imageOf(document, "fast").status, "built");
});

Deno.test("what an engine is asked once for both, the other gets to know", async () => {
  await using project = await TestProject.create({ Dockerfile: "FROM scratch\nRUN true\n" });
  project.define(`{ images: {
    slow: dockerfile({ engine: "podman", timeout: 0.2 }),
    fast: dockerfile({ engine: "podman" }),
  } }`);
  project.fakeTool(
    "podman",
    `case "$1" in
      info) while [ ! -e "$PWD/released" ]; do sleep 0.02; done; echo 1.28.0 ;;
      build) echo built without time >&2; exit 7 ;;
    esac`,
  );
  const document = await built(project, () => project.write({ released: "" }));
  assertMatch(imageOf(document, "slow").error?.message ?? "", OUT_OF_TIME);
  assertStringIncludes(imageOf(document, "fast").error?.message ?? "", "podman failed: status 7");
  assertEquals(project.starts("podman").filter((line) => line.startsWith("info")).length, 1);
});
