import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Interference, refusal } from "../support/registry/interference.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf, declare, outcomes, siteProject } from "./rig.ts";

function times(count: number, interference: Interference): Interference[] {
  return Array.from({ length: count }, () => interference);
}

const LACKING = refusal(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");

Deno.test("a manifest whose parts the registry does not see", async (t) => {
  await t.step("is sent again", async () => {
    await using registry = await FaultyRegistry.start();
    await using project = await siteProject({ local: registry.host });
    registry.interfere("manifest-put", refusal(400, "DIGEST_INVALID"), LACKING);
    assertEquals(outcomes(await project.json(["push", "site"])), {
      site: { content: "pushed", latest: "retagged" },
    });
  });
  await t.step("is what another run wrote meanwhile", async () => {
    await using registry = await FaultyRegistry.start();
    await using project = await siteProject({ local: registry.host });
    await using clone = await cloneOf(project);
    const begun = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    registry.interfere("manifest-put", {
      wait: () => {
        begun.resolve();
        return written.promise;
      },
      ...LACKING,
    }, ...times(3, LACKING));
    const pushing = project.json(["push", "site"]);
    await begun.promise;
    // The first refusals are for the one that waits.
    const { images } = await (async () => {
      const planned = registry.takePlanned("manifest-put");
      const document = await clone.json(["push", "site"]);
      registry.interfere("manifest-put", ...planned);
      written.resolve();
      return document;
    })();
    const document = await pushing;
    assertEquals(outcomes(document), { site: { content: "current", latest: "current" } });
    assertEquals(
      document.images[0]?.destinations,
      images[0]?.destinations?.map((each) => ({
        ...each,
        status: "current",
      })),
    );
  });
  await t.step("has its parts brought again where they are gone", async () => {
    await using registry = await FaultyRegistry.start();
    await using project = await siteProject({ local: registry.host });
    // A clean-up between the blobs and the manifest.
    registry.interfere("manifest-put", {
      wait: () => {
        for (const digest of registry.store.blobsOf("site")) {
          registry.store.removeBlob("site", digest);
        }
      },
    });
    assertEquals(outcomes(await project.json(["push", "site"])), {
      site: { content: "pushed", latest: "retagged" },
    });
  });
  await t.step("has its parts sent whatever the registry says of them", async () => {
    await using registry = await FaultyRegistry.start({
      // It says of every blob that it is there.
      campaign: (kind) => kind === "blob-head" ? { answer: { status: 200 } } : undefined,
    });
    await using project = await siteProject({ local: registry.host });
    assertEquals(outcomes(await project.json(["push", "site"])), {
      site: { content: "pushed", latest: "retagged" },
    });
  });
  await t.step("is given up in the end, with what helps", async () => {
    await using registry = await FaultyRegistry.start();
    await using project = await siteProject({ local: registry.host });
    registry.interfere("manifest-put", ...times(50, LACKING));
    const { code, stderr } = await project.images("push", "site");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "blob unknown to registry");
    assertStringIncludes(stderr, "push again");
    assert(!stderr.includes("--force"), stderr);
    assert(registry.count("manifest-put") <= 16, `${registry.count("manifest-put")}`);
  });
});

const ECR = {
  status: 400,
  body: JSON.stringify({
    errors: [{
      code: "TAG_INVALID",
      message:
        "The image tag already exists and cannot be overwritten because the tag is immutable.",
    }],
  }),
};

Deno.test("tags that the registry keeps as they are", async (t) => {
  await t.step("a content tag is adopted, also under --force", async () => {
    await using registry = await FaultyRegistry.start({
      quirks: { immutable: { tags: /^content-/, ...ECR } },
    });
    await using project = await siteProject({ local: registry.host });
    const { images } = await project.json(["push", "site"]);
    // Another commit would give the manifest other annotations.
    const commit = { GITHUB_SHA: "1".repeat(40), GITHUB_REF: "refs/heads/main" };
    Object.assign(project.env, { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "push", ...commit });
    const { code, stdout, stderr } = await project.images("push", "site", "--force", "--json");
    assertEquals(code, 0, stderr);
    const [content] = JSON.parse(stdout).images[0].destinations;
    assertEquals(content.digest, images[0]?.destinations?.[0]?.digest);
    assertEquals(content.status, "current");
    assertStringIncludes(stderr, "is immutable there; the image that it stands for counts");
  });
  await t.step("a content tag of something else is named, with what to do", async () => {
    await using registry = await FaultyRegistry.start({
      quirks: { immutable: { tags: /^content-/, ...ECR } },
    });
    await using project = await siteProject({ local: registry.host });
    const { images: [site] } = await project.json(["push", "site"]);
    const tag = site!.tag!;
    const stored = registry.store.manifest("site", tag)!;
    const other = JSON.parse(new TextDecoder().decode(stored.bytes));
    delete other.annotations;
    const bytes = new TextEncoder().encode(JSON.stringify(other));
    registry.store.putManifest("site", tag, { ...stored, bytes });
    const { code, stderr } = await project.images("push", "site");
    assertEquals(code, 1);
    assertStringIncludes(stderr, `${registry.host}/site:${tag}`);
    assertMatch(stderr, /does not stand for this key/);
    assertMatch(stderr, /except content-\* from its immutable tags/);
  });
  await t.step("a mutable tag is named, with what to do", async () => {
    await using registry = await FaultyRegistry.start({
      quirks: { immutable: { tags: /^latest$/, ...ECR } },
    });
    await using project = await siteProject({ local: registry.host });
    await project.json(["push", "site"]);
    assertEquals((await project.json(["push", "site"])).totals, { cached: 1 });
    project.write({ "site/index.html": "another\n" });
    const { code, stderr } = await project.images("push", "site");
    assertEquals(code, 1);
    assertMatch(stderr, /does not let the tag latest be replaced/);
    assertMatch(stderr, /except it from the registry's rules for immutable tags/);
    assert(!stderr.includes("--force"), stderr);
  });
});

toolTest(["docker-registry"], "two clones push the same to docker-registry at once", async () => {
  await using registry = await startLoopbackRegistry();
  await using project = await siteProject({ local: registry.host });
  await using clone = await cloneOf(project);
  for (let round = 0; round < 8; round++) {
    for (const each of [project, clone]) {
      each.write({ "site/index.html": `${round}\n`, "app/run.sh": `#!/bin/sh\necho ${round}\n` });
      declare(
        each,
        { local: `${registry.host}/r${round}` },
        `{
        site: files({ layers: [{ from: "site", to: "/srv" }], cmd: ["/serve"] }),
        top: files({ base: { image: "site" }, layers: [{ from: "app", to: "/app" }] }),
      }`,
      );
    }
    const both = await Promise.all(
      [project, clone].map((each) => each.images("push", "--all", "--json")),
    );
    for (const { code, stderr } of both) assertEquals(code, 0, `round ${round}\n${stderr}`);
    const digests = both.map(({ stdout }) =>
      JSON.parse(stdout).images.map((each: { destinations: { digest: string }[] }) =>
        each.destinations.map(({ digest }) => digest)
      )
    );
    assertEquals(digests[0], digests[1]);
  }
});
