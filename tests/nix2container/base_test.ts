import { assertEquals, assertStringIncludes } from "@std/assert";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { sha256 } from "../../lib/oci/sha256.ts";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";
import { tarEntries } from "../../plugins/nix2container/layer_tar.ts";
import { imageOf, TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";

const LAYER = "application/vnd.oci.image.layer.v1.tar";

async function bytesOf(entries: Iterable<TarEntry>): Promise<Uint8Array> {
  return new Uint8Array(
    await new Response(ReadableStream.from(writeTar(entries))).arrayBuffer(),
  );
}

/** A layer's tar with one file. */
function tarOf(path: string, text: string): Promise<Uint8Array> {
  const content = new TextEncoder().encode(text);
  const owner = { uid: 0, gid: 0, mtime: 1 };
  return bytesOf([{ path, type: "file", mode: 0o644, ...owner, content }]);
}

/** Layers as pullImage leaves them: whole files, of whose size image.json says 0. */
async function pulledLayers(project: TestProject) {
  const kinds = { "": (tar: Uint8Array) => tar, "+gzip": gzipSync, "+zstd": zstdCompressSync };
  const layers = [];
  for (const [at, [suffix, compress]] of Object.entries(kinds).entries()) {
    const tar = await tarOf(`etc/base${suffix}`, `of the base${suffix}\n`.repeat(50));
    const blob = compress(tar);
    const file = `store/base/${at}.tar`;
    Deno.mkdirSync(project.path("store/base"), { recursive: true });
    Deno.writeFileSync(project.path(file), blob);
    // What a layer is read from may be a link.
    Deno.symlinkSync(`${at}.tar`, project.path(`${file}.link`));
    layers.push({
      digest: sha256(blob),
      size: 0,
      diff_ids: sha256(tar),
      mediatype: LAYER + suffix,
      "layer-path": project.path(`${file}.link`),
      History: { created_by: `base${suffix}` },
    });
  }
  return layers;
}

/** A layer of store paths. */
async function ownLayer(project: TestProject) {
  project.write({ "store/own/bin/hello": "#!/bin/sh\necho hello\n" }, 0o755);
  const paths = [{ path: "store/own", options: { rewrite: { regex: "^store/own", repl: "" } } }];
  const tar = await bytesOf(tarEntries(
    paths.map(({ path, options }) => ({ path, ...options, perms: [] })),
    { base: project.root, storeRoot: "" },
  ));
  const digest = sha256(tar);
  return { digest, size: tar.length, diff_ids: digest, mediatype: LAYER, paths };
}

toolTest(
  ["docker-registry", "skopeo", "umoci"],
  "layers of a base that pullImage fetched are pushed as they are, below our own",
  async (t) => {
    await using registry = await startLoopbackRegistry();
    await using project = await TestProject.resident();
    project.fakeTool("nix", "exit 1");
    const pulled = await pulledLayers(project);
    const own = await ownLayer(project);
    const describe = (layers: readonly unknown[]) =>
      JSON.stringify({
        version: 1,
        "image-config": { Cmd: ["/bin/hello"] },
        layers,
        arch: "amd64",
        created: null,
      });
    // umoci reads no zstd.
    project.write({
      "image.json": describe([...pulled, own]),
      "plain.json": describe([pulled[0], pulled[1], own]),
    });
    const define = (team: string) =>
      project.define(`{
        registries: { team: registry("${registry.host}/${team}", { compression: "none" }) },
        images: {
          based: nix2container({ manifest: "image.json", platforms: ["linux/amd64"] }),
          plain: nix2container({ manifest: "plain.json", platforms: ["linux/amd64"] }),
        },
      }`);
    define("team");
    for (const { destinations } of (await project.json(["push"])).images) {
      assertEquals(destinations?.map(({ status }) => status), ["pushed", "retagged"]);
    }
    const reference = (name: string) => `docker://${registry.host}/team/${name}:latest`;
    const inspect = async (...args: string[]) => {
      const tls = "--tls-verify=false";
      const command = ["skopeo", "inspect", "--raw", ...args, tls, reference("based")];
      return JSON.parse((await runTool(command)).stdout);
    };

    await t.step("each under its own digest, media type and real size", async () => {
      const { layers } = await inspect();
      assertEquals(
        layers,
        [...pulled, own].map((layer) => ({
          mediaType: layer.mediatype,
          digest: layer.digest,
          size: "layer-path" in layer ? Deno.statSync(layer["layer-path"]).size : layer.size,
        })),
      );
      const config = await inspect("--config");
      assertEquals(config.rootfs.diff_ids, [...pulled, own].map(({ diff_ids }) => diff_ids));
      assertEquals(config.history.length, 4);
    });

    await t.step("other tools unpack them", async () => {
      const layout = project.beside("layout");
      await runTool([
        ...["skopeo", "copy", "-q", "--src-tls-verify=false", reference("plain")],
        `oci:${layout}:latest`,
      ]);
      const bundle = project.beside("bundle");
      await runTool(["umoci", "unpack", "--image", `${layout}:latest`, bundle]);
      const read = (path: string) => Deno.readTextFileSync(`${bundle}/rootfs/${path}`);
      assertEquals(read("etc/base"), "of the base\n".repeat(50));
      assertEquals(read("etc/base+gzip"), "of the base+gzip\n".repeat(50));
      assertEquals(read("bin/hello"), "#!/bin/sh\necho hello\n");
    });

    await t.step("one that is another file than before is refused, and named", async () => {
      const file = pulled[1]!["layer-path"];
      Deno.writeFileSync(file, gzipSync(await tarOf("etc/base+gzip", crypto.randomUUID())));
      define("elsewhere");
      const { destinations, error } = imageOf(await project.json(["push"], 1), "based");
      assertStringIncludes(error?.message ?? "", "the file is not the one");
      assertEquals(error?.where, file);
      assertEquals(destinations?.map(({ status }) => status), ["failed"]);
    });
    assertEquals(project.starts("nix"), []);
  },
);
