/** Bazel images pushed natively and through push targets, read by skopeo. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Manifest } from "../../lib/model/oci.ts";
import { imageOf } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { type BazelProject, bazelProject } from "./rig.ts";

const images = (host: string) =>
  `{
  gitAnnotations: false,
  registries: { here: registry("${host}/flywheel") },
  images: {
    base: files({ layers: [{ from: "attic", to: "/srv" }], env: { BASE: "yes" } }),
    app: rulesImg({ target: "//app:image" }),
    based: rulesImg({ target: "//based:image", needs: ["base"] }),
    through: rulesImg({ target: "//app:image", push: "//app:push" }),
    both: rulesImg({
      target: "//app:index",
      push: "//app:push_index",
      platforms: ["linux/amd64", "linux/arm64"],
    }),
    noted: rulesImg({ target: "//noted:index", platforms: ["linux/amd64", "linux/arm64"] }),
    wrong: rulesImg({ target: "//app:image", push: "//app:push_index" }),
  },
}`;

/** A package whose image has a base that is only described. */
const based = (host: string, digest: string, data: Record<string, string>) => `
load("//bazel:img.bzl", "image_import", "image_manifest")

image_import(
    name = "base",
    digest = "${digest}",
    data = ${JSON.stringify(data)},
    registries = ["${host}"],
    repository = "flywheel/base",
)

image_manifest(
    name = "image",
    base = ":base",
    layers = ["//app:site_layer"],
)
`;

/** A package whose images carry annotations. */
const NOTED = `
load("//bazel:img.bzl", "image_index", "image_manifest")

[
    image_manifest(
        name = architecture,
        architecture = architecture,
        layers = ["//app:site_layer"],
        annotations = {"of": "manifest"},
    )
    for architecture in ["amd64", "arm64"]
]

image_index(
    name = "index",
    manifests = [":amd64", ":arm64"],
    annotations = {"team": "blue"},
)
`;

toolTest(
  ["bazel", "node", "docker-registry", "skopeo"],
  "Bazel images in a registry",
  async (t) => {
    await using registry = await startLoopbackRegistry();
    const { host } = registry;
    await using rig = await bazelProject(images(host));
    const { project } = rig;
    const raw = async (reference: string) => {
      const image = `docker://${host}/flywheel/${reference}`;
      return (await runTool(["skopeo", "inspect", "--raw", "--tls-verify=false", image])).stdout;
    };
    const digestOf = async (reference: string) => {
      const image = `docker://${host}/flywheel/${reference}`;
      const args = ["skopeo", "inspect", "--format", "{{.Digest}}", "--tls-verify=false", image];
      return (await runTool(args)).stdout.trim();
    };

    await t.step("natively: skopeo reads the very image", async () => {
      const { imageId } = imageOf(await project.json(["build", "app"]), "app");
      const pushed = imageOf(await project.json(["push", "app"]), "app");
      assertEquals(pushed.destinations?.map(({ status }) => status), ["pushed", "retagged"]);
      const manifest = JSON.parse(await raw("app:latest")) as Manifest;
      assertEquals(manifest.config.digest, imageId);
      assertEquals(manifest.annotations?.["dev.images.key"], pushed.key);
      await copyAway(rig, `${host}/flywheel/app:latest`, "app");
    });

    await t.step("through the push target: the digest is Bazel's own", async () => {
      const built = imageOf(await project.json(["build", "through"]), "through");
      rig.started();
      const pushed = imageOf(await project.json(["push", "through"]), "through");
      assertEquals(rig.started(), ["run"]);
      assertEquals(pushed.destinations?.map(({ status, digest }) => [status, digest]), [
        ["pushed", built.digest],
        ["current", built.digest],
      ]);
      assertEquals(await digestOf("through:latest"), built.digest);
      assertEquals(await digestOf(`through:${pushed.tag}`), built.digest);

      const again = imageOf(await project.json(["push", "through"]), "through");
      assertEquals(again.destinations?.map(({ status }) => status), ["current", "current"]);
      assertEquals(rig.started(), []);
    });

    await t.step("it is found there by another machine", async () => {
      Deno.removeSync(project.path(".images"), { recursive: true });
      const found = imageOf(await project.json(["build", "through"]), "through");
      assertEquals(found.status, "remote");
      assertEquals(rig.started(), ["query"]);
    });

    await t.step("an index goes through its target, each platform under its tag", async () => {
      const document = await project.json(["push", "both"]);
      const [amd64, arm64, index] = document.images.filter(({ name }) => name === "both");
      assertEquals(await digestOf(`both:${amd64!.tag}`), amd64!.digest);
      assertEquals(await digestOf(`both:${arm64!.tag}`), arm64!.digest);
      const published = index!.destinations?.[0];
      assertEquals(published?.status, "pushed");
      const { manifests } = JSON.parse(await raw(`both:${index!.tag}`));
      assertEquals(manifests.map(({ digest }: { digest: string }) => digest), [
        amd64!.digest,
        arm64!.digest,
      ]);
      const again = await project.json(["push", "both"]);
      const same = again.images.findLast(({ name }) => name === "both");
      assertEquals(same?.destinations?.[0]?.status, "current");
    });

    await t.step("an index natively: with what is noted on it and its children", async () => {
      project.write({ "noted/BUILD.bazel": NOTED });
      await project.json(["push", "noted"]);
      const { annotations, manifests } = JSON.parse(await raw("noted:latest"));
      assertEquals(annotations.team, "blue");
      assertMatch(annotations["dev.images.key"], /^[0-9a-f]{64}$/);
      const platforms = manifests.map(({ platform }: { platform: unknown }) => platform);
      assertEquals(
        platforms,
        ["amd64", "arm64"].map((architecture) => ({
          architecture,
          os: "linux",
        })),
      );
      for (const { digest } of manifests) {
        const child = JSON.parse(await raw(`noted@${digest}`)) as Manifest;
        assertEquals(child.annotations?.of, "manifest");
      }
    });

    await t.step("a push target of another image is refused", async () => {
      const { code, stderr } = await project.images("push", "wrong");
      assertEquals(code, 1);
      assertMatch(stderr, /The tool published sha256:\w+, not sha256:\w+ as it was built/);
    });

    await t.step("a base that is only described is taken from its registry", async () => {
      await project.json(["push", "base"]);
      const digest = await digestOf("base:latest");
      const manifest = await raw("base:latest");
      const { config, layers: [layer] } = JSON.parse(manifest) as Manifest;
      const image = `docker://${host}/flywheel/base:latest`;
      const args = ["skopeo", "inspect", "--raw", "--config", "--tls-verify=false", image];
      const { stdout } = await runTool(args);
      project.write({
        "based/BUILD.bazel": based(host, digest, { [digest]: manifest, [config.digest]: stdout }),
      });
      const built = imageOf(await project.json(["build", "based"]), "based");
      assertEquals(built.status, "built");
      assert(!isThere(project.path(`.images/oci/blobs/${layer!.digest.replace(":", "/")}`)));

      const pushed = imageOf(await project.json(["push", "based"]), "based");
      assertEquals(pushed.destinations?.[0]?.status, "pushed");
      const published = JSON.parse(await raw("based:latest")) as Manifest;
      assertEquals(published.layers[0]!.digest, layer!.digest);
      assertEquals(published.layers.length, 2);
      await copyAway(rig, `${host}/flywheel/based:latest`, "based");
    });
  },
);

/** Copies an image out of the registry with skopeo, which checks every blob. */
async function copyAway({ project }: BazelProject, reference: string, name: string): Promise<void> {
  const to = `oci:${project.beside(`copy-${name}`)}`;
  await runTool(["skopeo", "copy", "-q", "--src-tls-verify=false", `docker://${reference}`, to]);
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
