/** From output groups, as rules of others may fill them, to images. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { BuildRequest } from "../../lib/model/plugin.ts";
import { Fault } from "../../lib/model/errors.ts";
import { hashBytes } from "../../lib/oci/hash.ts";
import type { BuiltFile, BuiltTarget } from "../../plugins/rules_img/bazel/events.ts";
import { imageSource } from "../../plugins/rules_img/outputs.ts";
import { tempFolder } from "../support/real/temp_folder.ts";

const CONFIG = "application/vnd.oci.image.config.v1+json";

/** A target whose output groups hold these texts. */
async function targetOf(
  folder: string,
  root: string,
  blobs: readonly string[],
): Promise<BuiltTarget> {
  const file = (name: string, text: string): BuiltFile => {
    const path = `${folder}/${crypto.randomUUID()}`;
    Deno.writeTextFileSync(path, text);
    return { name, path };
  };
  const layout = await Promise.all(blobs.map(async (text) => {
    const hex = await hashBytes(new TextEncoder().encode(text));
    return file(`layout/blobs/sha256/${hex}`, text);
  }));
  const digest = `sha256:${await hashBytes(new TextEncoder().encode(root))}`;
  const groups = new Map([
    ["root_blob", [file("root.json", root)]],
    ["digest", [file("digest", digest)]],
    ["oci_layout", layout],
  ]);
  return { success: true, groups, failures: [] };
}

async function descriptorOf(text: string, mediaType: string, more: object = {}) {
  const bytes = new TextEncoder().encode(text);
  const digest = `sha256:${await hashBytes(bytes)}`;
  return { mediaType, digest, size: bytes.length, ...more };
}

function requestFor(platform: string, labels: Record<string, string> = {}): BuildRequest {
  const context = { name: "app", platform };
  return { image: { common: { labels } }, context } as unknown as BuildRequest;
}

const config = (more: object = {}) =>
  JSON.stringify({
    architecture: "arm",
    os: "linux",
    config: { User: "me", Memory: 12, "io.other": { "2": "b", "1": "a" } },
    rootfs: { type: "layers", diff_ids: [] },
    moby: { buildinfo: "x" },
    ...more,
  });

async function manifestOf(config: string): Promise<string> {
  return JSON.stringify({
    schemaVersion: 2,
    artifactType: "application/x.app",
    config: await descriptorOf(config, CONFIG, { annotations: { note: "kept" } }),
    layers: [],
    annotations: { title: "app" },
  });
}

Deno.test("what is no document of an image is named, and what to do", async (t) => {
  await using folder = await tempFolder("outputs");
  const cases = [["null", /not an image manifest/], ["{", /Cannot read the manifest/], [
    '{"manifests": 1}',
    /not an image index/,
  ]] as const;
  for (const [root, told] of cases) {
    await t.step(root, async () => {
      const target = await targetOf(folder.path, root, ["x"]);
      const fault = await assertRejects(
        () => imageSource(requestFor("linux/amd64"), "//app:odd", target, new Map()),
        Fault,
      );
      assertMatch(fault.message, told);
      assertMatch(fault.next!, /let `target` name an image_manifest/);
    });
  }
  await t.step("no layout", async () => {
    const target = await targetOf(folder.path, "{}", []);
    const fault = await assertRejects(
      () => imageSource(requestFor("linux/amd64"), "//app:odd", target, new Map()),
      Fault,
    );
    assertEquals(fault.message, "//app:odd has no image outputs in the output group oci_layout");
    assertMatch(fault.next!, /update rules_img/);
  });
  await t.step("no output group of an image", async () => {
    const target = { success: true, groups: new Map(), failures: [] };
    const fault = await assertRejects(
      () => imageSource(requestFor("linux/amd64"), "//app:odd", target, new Map()),
      Fault,
    );
    assertMatch(fault.message, /the output groups digest, root_blob, oci_layout$/);
    assertMatch(fault.next!, /image_manifest or image_index of rules_img.*rules_oci/);
  });
});

Deno.test("a child of an index is for the variant that the index says", async () => {
  await using folder = await tempFolder("outputs");
  const text = config();
  const manifest = await manifestOf(text);
  const type = "application/vnd.oci.image.manifest.v1+json";
  const platform = { os: "linux", architecture: "arm", variant: "v7" };
  const child = await descriptorOf(manifest, type, { platform });
  const index = JSON.stringify({ schemaVersion: 2, manifests: [child] });
  const target = await targetOf(folder.path, index, [text, manifest]);
  const source = await imageSource(requestFor("linux/arm/v7"), "//app:index", target, new Map());
  assertEquals(new TextDecoder().decode(source.manifest), manifest);
});

Deno.test("what an index names beside images is left out unread", async (t) => {
  await using folder = await tempFolder("outputs");
  const type = "application/vnd.oci.image.manifest.v1+json";
  const text = config({ architecture: "amd64" });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: await descriptorOf(text, CONFIG),
    layers: [],
  });
  const platform = { os: "linux", architecture: "amd64" };
  const image = await descriptorOf(manifest, type, { platform });
  const soci = "application/vnd.amazon.soci.index.v2+json";
  const about = (more: object) => JSON.stringify({ ...JSON.parse(manifest), ...more });
  const others: Record<string, readonly [descriptor: object, held?: readonly string[]]> = {
    "an artifact, by its descriptor": [
      await descriptorOf("soci", type, { artifactType: soci, platform }),
    ],
    "an artifact, by its manifest": await (async () => {
      const empty = await descriptorOf("{}", "application/vnd.oci.empty.v1+json");
      const other = about({ artifactType: soci, config: empty });
      return [await descriptorOf(other, type, { platform }), [other]] as const;
    })(),
    "an artifact with the config of an image": await (async () => {
      const other = about({ artifactType: soci });
      return [await descriptorOf(other, type, { platform }), [other]] as const;
    })(),
    "a signature": await (async () => {
      const other = about({ subject: image, config: await descriptorOf("{}", CONFIG) });
      return [await descriptorOf(other, type), [other, "{}"]] as const;
    })(),
    "an attestation": [
      await descriptorOf("attest", type, {
        platform: { os: "unknown", architecture: "unknown" },
      }),
    ],
    "something of another type": [await descriptorOf("x", "application/x")],
    "an image of another platform": [
      await descriptorOf("y", type, { platform: { os: "linux", architecture: "arm64" } }),
    ],
  };
  for (const [name, [descriptor, held = []]] of Object.entries(others)) {
    await t.step(name, async () => {
      const index = JSON.stringify({ schemaVersion: 2, manifests: [descriptor, image] });
      const target = await targetOf(folder.path, index, [text, manifest, ...held]);
      const source = await imageSource(requestFor("linux/amd64"), "//:i", target, new Map());
      assertEquals(new TextDecoder().decode(source.manifest), manifest);
    });
  }
  await t.step("an index inside, which is followed", async () => {
    const inner = JSON.stringify({ schemaVersion: 2, manifests: [image] });
    const nested = await descriptorOf(inner, "application/vnd.oci.image.index.v1+json");
    const index = JSON.stringify({ schemaVersion: 2, manifests: [nested] });
    const target = await targetOf(folder.path, index, [text, manifest, inner]);
    const source = await imageSource(requestFor("linux/amd64"), "//:i", target, new Map());
    assertEquals(new TextDecoder().decode(source.manifest), manifest);
  });
  await t.step("but an image that the layout lacks is missed", async () => {
    const index = JSON.stringify({ schemaVersion: 2, manifests: [image] });
    const target = await targetOf(folder.path, index, [text]);
    await assertRejects(
      () => imageSource(requestFor("linux/amd64"), "//:i", target, new Map()),
      Fault,
      "does not hold",
    );
  });
});

Deno.test("labels of the recipe leave all else as it was", async () => {
  await using folder = await tempFolder("outputs");
  const text = config();
  const target = await targetOf(folder.path, await manifestOf(text), [text]);
  const request = requestFor("linux/arm", { team: "web" });
  const source = await imageSource(request, "//app:image", target, new Map());
  const labelled = JSON.parse(new TextDecoder().decode(source.config));
  const { config: before, ...rest } = JSON.parse(text);
  assertEquals(labelled, { ...rest, config: { ...before, Labels: { team: "web" } } });
  const { mediaType: _, ...manifest } = JSON.parse(new TextDecoder().decode(source.manifest));
  const { config: { digest }, ...others } = manifest;
  assertEquals(digest, `sha256:${await hashBytes(source.config)}`);
  assertEquals(others.artifactType, "application/x.app");
  assertEquals(manifest.config.annotations, { note: "kept" });
  assertEquals(others.annotations, { title: "app" });
});
