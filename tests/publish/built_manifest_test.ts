/** What a plugin built is published as it is; only what is ours is added. */

import { assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { MediaType } from "../../lib/model/oci.ts";
import { listedChild, publishedManifest } from "../../lib/registry/publish/published_manifest.ts";
import type { Manifest } from "../../lib/model/oci.ts";
import { TestProject } from "../support/project.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { manifestOf } from "./rig.ts";

const TOC = "containerd.io/snapshot/stargz/toc.digest";

/** A plugin that brings a manifest of its own: a compressed layer, and one that is not. */
const IMAGES = (host: string) => `
import { define, plugin, registry } from "images";
const made = plugin({
  name: "made", version: "1",
  describe: () => ({ options: {}, inputs: [] }),
  build: async ({ context }) => {
    const read = (name) => Deno.readFileSync(context.root + "/" + name);
    const layers = [];
    const write = async (name, mediaType, more) => {
      const descriptor = await context.writeBlob(mediaType, ReadableStream.from([read(name)]));
      const diffId = new TextDecoder().decode(read("diff-id")).trim();
      layers.push({ descriptor: { ...descriptor, ...more }, diffId, places: [{ at: "layout" }] });
    };
    await write("layer.tar.gz", "${MediaType.dockerLayerGzip}", {
      annotations: { "${TOC}": "sha256:${"7".repeat(64)}" }, "com.example/field": [1, { a: null }],
    });
    await write("layer.tar", "${MediaType.layer}", {
      annotations: { note: "plain" }, urls: ["https://example.com/layer"], data: "AAAA",
    });
    const diffIds = layers.map((layer) => layer.diffId);
    const config = new TextEncoder().encode(JSON.stringify({
      architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffIds },
    }));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", config)).toHex();
    const manifest = new TextEncoder().encode(JSON.stringify({
      schemaVersion: 2,
      mediaType: "${MediaType.dockerManifest}",
      artifactType: "application/vnd.example",
      config: {
        mediaType: "${MediaType.dockerConfig}", digest: "sha256:" + hash, size: config.length,
        annotations: { of: "config" },
      },
      layers: layers.map((layer) => layer.descriptor),
      annotations: { team: "blue", "dev.images.key": "theirs", "dev.images.verdict": "theirs" },
      "com.example/unknown": { kept: true },
    }));
    return { config, manifest, layers };
  },
});
export default define({
  registries: { local: registry("${host}") },
  images: { app: made({ platforms: ["linux/amd64"] }) },
});
`;

Deno.test("annotations, types and fields of a built manifest are published", async (t) => {
  await using registry = await FaultyRegistry.start();
  await using project = await TestProject.resident({ "images.ts": IMAGES(registry.host) });
  const tar = new Uint8Array(1024);
  Deno.writeFileSync(project.path("layer.tar"), tar);
  const compressed = gzipSync(tar, { level: 9 });
  Deno.writeFileSync(project.path("layer.tar.gz"), compressed);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", tar)).toHex();
  project.write({ "diff-id": `sha256:${hash}` });
  const document = await project.json(["push", "app"]);
  const { json } = await manifestOf(registry.host, "app", "latest");

  await t.step("of the manifest", () => {
    const { layers: _layers, config, annotations, ...rest } = json;
    assertEquals(rest, {
      schemaVersion: 2,
      mediaType: MediaType.manifest,
      artifactType: "application/vnd.example",
      "com.example/unknown": { kept: true },
    });
    assertEquals(annotations.team, "blue");
    assertEquals(annotations["dev.images.key"], document.images[0]?.key);
    assertEquals(annotations["dev.images.verdict"], undefined);
    assertEquals([config.mediaType, config.annotations], [MediaType.config, { of: "config" }]);
  });
  await t.step("of a layer that is compressed as it was built: its bytes are the same", () => {
    const [layer] = json.layers;
    assertEquals(layer, {
      mediaType: MediaType.layerGzip,
      digest: layer.digest,
      size: compressed.length,
      annotations: { [TOC]: `sha256:${"7".repeat(64)}` },
      "com.example/field": [1, { a: null }],
    });
    assertEquals(registry.store.blob("app", layer.digest), new Uint8Array(compressed));
  });
  await t.step("of a layer that is compressed on the way: what is noted on it", () => {
    const [, layer] = json.layers;
    const { digest, size } = layer;
    const mediaType = MediaType.layerGzip;
    assertEquals(layer, { mediaType, digest, size, annotations: { note: "plain" } });
  });
});

Deno.test("publishedManifest() keeps subject, and the data of blobs that stay", () => {
  const digest = (digit: string) => `sha256:${digit.repeat(64)}` as const;
  const subject = { mediaType: MediaType.manifest, digest: digest("5"), size: 5 };
  const config = { mediaType: MediaType.config, digest: digest("1"), size: 1, data: "eA==" };
  const layer = { mediaType: MediaType.layerZstd, digest: digest("2"), size: 2, data: "AA==" };
  const built: Manifest = { schemaVersion: 2, config, layers: [layer], subject };
  const { data: _, ...sent } = layer;
  assertEquals(publishedManifest(built, [sent]), { ...built, annotations: {} });
});

Deno.test("listedChild() keeps what the tool's index says of an image", () => {
  const digest = (digit: string) => `sha256:${digit.repeat(64)}` as const;
  const published = { mediaType: MediaType.manifest, digest: digest("1"), size: 1 };
  const fields = { os: "linux", architecture: "arm64", "os.features": ["x"] };
  const built = {
    mediaType: MediaType.dockerManifest,
    digest: digest("2"),
    size: 2,
    data: "AA==",
    annotations: { note: "kept" },
    platform: fields,
  };
  assertEquals<unknown>(listedChild(published, "linux/arm64", { descriptor: built }), {
    ...published,
    annotations: { note: "kept" },
    platform: fields,
  });
  const platform = { os: "linux", architecture: "arm", variant: "v7" };
  assertEquals(listedChild(published, "linux/arm/v7", undefined), { ...published, platform });
});
