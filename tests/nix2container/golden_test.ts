import { assertEquals } from "@std/assert";
import type { Layer } from "../../lib/model/image.ts";
import { readImageJson } from "../../plugins/nix2container/image_json.ts";
import { layerData } from "../../plugins/nix2container/layer_data.ts";
import { openLayer } from "../../plugins/nix2container/open_layer.ts";
import { servedConfig, servedManifest } from "../../plugins/nix2container/served.ts";
import { imageOf, TestProject } from "../support/project.ts";
import { CASES, goldenCase, layOut } from "./golden.ts";

/** Length of a layer made again; the stream itself fails where the digest differs. */
async function lengthOf(layer: Layer, folder: string, json: Parameters<typeof layerData>[0]) {
  const data = layerData(json, { base: folder, storeRoot: "" });
  let length = 0;
  for await (const chunk of openLayer(layer, data)) length += chunk.length;
  return length;
}

for (const name of CASES) {
  Deno.test(`${name} comes out as nix2container made it`, async () => {
    await using folder = await goldenCase(name);
    const image = readImageJson(`${folder.path}/image.json`);
    const descriptors = image.layers.map(({ mediaType, digest, size }) => ({
      mediaType,
      digest,
      size,
    }));
    for (const [at, json] of image.layers.entries()) {
      const layer = { descriptor: descriptors[at]!, diffId: json.diffId, places: [] };
      assertEquals(await lengthOf(layer, folder.path, json), json.size);
    }
    const served = (file: string) => Deno.readTextFileSync(`${folder.path}/served/${file}.json`);
    const config = servedConfig(image, { labels: {} });
    assertEquals(new TextDecoder().decode(config), served("config"));
    const manifest = servedManifest(config, descriptors);
    assertEquals(new TextDecoder().decode(manifest), served("manifest"));
  });
}

Deno.test("a manifest is built and exported without nix, byte for byte", async (t) => {
  await using project = await TestProject.resident();
  project.fakeTool("nix", "exit 1");
  for (const name of CASES) await t.step(name, () => exported(project, name));
  assertEquals(project.starts("nix"), []);
});

async function exported(project: TestProject, name: string): Promise<void> {
  Deno.mkdirSync(project.path(name));
  await layOut(name, project.path(name));
  project.define(`{ images: { golden: nix2container({ manifest: "./${name}/image.json" }) } }`);
  const { status, digest, imageId } = imageOf(await project.json(["build"]), "golden");
  assertEquals(status, "built");
  const layout = project.beside(name);
  assertEquals((await project.images("export", "golden", "--to", `oci:${layout}`)).code, 0);
  const blob = (digest = "") =>
    Deno.readTextFileSync(`${layout}/blobs/sha256/${digest.replace("sha256:", "")}`);
  assertEquals(blob(digest), Deno.readTextFileSync(project.path(`${name}/served/manifest.json`)));
  assertEquals(blob(imageId), Deno.readTextFileSync(project.path(`${name}/served/config.json`)));
  assertEquals((await project.statuses()).golden, "cached");
}
