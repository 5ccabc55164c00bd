import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MediaType } from "../../lib/model/oci.ts";
import type { ResultDocument } from "../../lib/model/result.ts";
import { TestProject } from "../support/project.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { cloneOf, declare, Git, manifestOf } from "./rig.ts";

/** Images whose bits differ from build to build under the same keys. */
async function driftingProject(host: string, options = ""): Promise<TestProject> {
  const project = await TestProject.resident({ "app/a.txt": "a\n" });
  declare(
    project,
    { local: host },
    `{
      base: files({ needs: ["stamp"], layers: [{ from: "dist", to: "/srv" }], ${options} }),
      top: files({ base: { image: "base" }, layers: [{ from: "app", to: "/app" }], ${options} }),
    }`,
    `tasks: { stamp: task({
      inputs: ["app/**"],
      outputs: ["dist/**"],
      run: ["sh", "-c", "mkdir -p dist && cat /proc/sys/kernel/random/uuid > dist/stamp"],
    }) }`,
  );
  return project;
}

/** Holds so many manifests back until all of them have arrived. */
function holdManifests(registry: FaultyRegistry, count: number): void {
  const all = Promise.withResolvers<void>();
  let arrived = 0;
  const wait = () => {
    if (++arrived === count) all.resolve();
    return all.promise;
  };
  registry.interfere("manifest-put", ...Array.from({ length: count }, () => ({ wait })));
}

/** Two machines that have built by themselves push at the same moment. */
async function pushTwice(
  project: TestProject,
  targets: string[],
): Promise<{ documents: ResultDocument[]; clone: TestProject; messages: string }> {
  const clone = await cloneOf(project);
  const built = await Promise.all(
    [project, clone].map((each) => each.json(["build", "--no-remote"])),
  );
  assert(imageIds(built[0]!, "base").join() !== imageIds(built[1]!, "base").join());
  const outcomes = await Promise.all(
    [project, clone].map((each) => each.images("push", ...targets, "--json")),
  );
  for (const { code, stderr } of outcomes) assertEquals(code, 0, stderr);
  return {
    documents: outcomes.map(({ stdout }) => JSON.parse(stdout)),
    clone,
    messages: outcomes.map(({ stderr }) => stderr).join(""),
  };
}

function imageIds({ images }: ResultDocument, name: string): (string | undefined)[] {
  return images.filter((each) => each.name === name).map(({ imageId }) => imageId);
}

Deno.test("two pushes of different bits under one key end with one image, adopted by both", async () => {
  await using registry = await FaultyRegistry.start();
  await using project = await driftingProject(registry.host);
  holdManifests(registry, 2);
  const { documents, clone, messages } = await pushTwice(project, ["base"]);
  await using _ = clone;
  const { json, digest } = await manifestOf(registry.host, "base", "latest");
  for (const [at, document] of documents.entries()) {
    assertEquals(imageIds(document, "base"), [json.config.digest]);
    const [content, latest] = document.images[0]?.destinations ?? [];
    assertEquals([content?.digest, latest?.digest], [digest, digest]);
    const kept = await [project, clone][at]!.json(["build", "base"]);
    assertEquals(imageIds(kept, "base"), [json.config.digest]);
  }
  const tags = registry.store.tagsOf("base");
  assertEquals([...new Set(Object.values(tags))], [digest]);
  assertStringIncludes(messages, "Another run published it at the same moment");
});

Deno.test("what needs an adopted image is built on it, and published", async () => {
  await using registry = await FaultyRegistry.start();
  await using project = await driftingProject(registry.host);
  holdManifests(registry, 4);
  const { documents, clone } = await pushTwice(project, []);
  await using _ = clone;
  const [one, other] = documents;
  for (const name of ["base", "top"]) {
    const { json } = await manifestOf(registry.host, name, "latest");
    assertEquals(imageIds(one!, name), [json.config.digest]);
    assertEquals(imageIds(other!, name), [json.config.digest]);
  }
  const keys = documents.map(({ images }) => images.map(({ key }) => key));
  assertEquals(keys[0], keys[1]);
  // Both have all of it now.
  assertEquals((await project.json(["push", "--dry-run"])).totals, { current: 3 });
});

Deno.test("of an index that two runs made, the platforms' tags stand for what it names", async () => {
  await using registry = await FaultyRegistry.start();
  await using project = await driftingProject(
    registry.host,
    'platforms: ["linux/amd64", "linux/arm64"]',
  );
  for (let at = 0; at < 3; at++) holdManifests(registry, 2);
  const { documents, clone } = await pushTwice(project, ["base"]);
  await using _ = clone;
  const { json } = await manifestOf(registry.host, "base", "latest");
  const named = (json.manifests as { digest: string }[]).map(({ digest }) => digest);
  const configs = await Promise.all(
    named.map(async (digest) =>
      (await manifestOf(registry.host, "base", digest)).json.config.digest
    ),
  );
  const tags = registry.store.tagsOf("base");
  for (const document of documents) {
    const platforms = document.images.filter(({ platform }) => platform !== "index");
    assertEquals(platforms.map(({ imageId }) => imageId), configs);
    assertEquals(platforms.map(({ tag = "" }) => tags[tag]), named);
  }
});

Deno.test("of two pushes that move a tag at once the newer commit's stays", async (t) => {
  await using registry = await FaultyRegistry.start();
  await using newer = await TestProject.resident({ ".gitignore": ".images\n" });
  declare(
    newer,
    { local: registry.host },
    '{ app: files({ layers: [{ from: "app", to: "/" }] }) }',
  );
  const git = await Git.init(newer.root);
  const commit = async (text: string) => {
    newer.write({ "app/version": text });
    return await git.commit(text);
  };
  await commit("1");
  await newer.json(["push"]);
  const old = await commit("2");
  await commit("3");
  await using older = await cloneOf(newer);
  await new Git(older.root).run("switch", "-q", "--detach", old);
  for (const project of [newer, older]) await project.json(["push", "--tag", "built"]);
  const first = (await manifestOf(registry.host, "app", "latest")).json;

  for (const round of [1, 2, 3, 4]) {
    await t.step(`time ${round}`, async () => {
      await registryPut(registry.host, first);
      // Both have looked at the tag before either writes its note.
      holdManifests(registry, 2);
      await Promise.all([newer.json(["push"]), older.json(["push"])]);
      registry.calm();
      const { json } = await manifestOf(registry.host, "app", "latest");
      assertEquals(
        json.annotations["org.opencontainers.image.revision"],
        await git.run("rev-parse", "HEAD"),
      );
      // A third machine of the older commit leaves it too.
      await older.json(["push"]);
      const after = await manifestOf(registry.host, "app", "latest");
      assertEquals(after.json, json);
    });
  }
});

/** Lets `latest` stand for what it stood for at the beginning. */
async function registryPut(host: string, manifest: unknown): Promise<void> {
  const address = `http://${host}/v2/app/manifests/latest`;
  const body = JSON.stringify(manifest);
  const headers = { "content-type": MediaType.manifest };
  const response = await fetch(address, { method: "PUT", headers, body });
  await response.body?.cancel();
  assertEquals(response.status, 201);
}
