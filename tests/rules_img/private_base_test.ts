/** Bases that Bazel pulled from a private registry: their layers go to no public one. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Manifest } from "../../lib/model/oci.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { bazelProject } from "./rig.ts";

const images = (inside: string, outside: string) =>
  `{
  registries: {
    inside: registry("${inside}/team", { visibility: "private" }),
    outside: registry("${outside}/team", { visibility: "public" }),
  },
  images: {
    base: files({ layers: [{ from: "attic", to: "/srv" }], registries: ["inside"] }),
    app: rulesImg({ target: "//based:image" }),
    through: rulesImg({ target: "//based:image", push: "//based:push" }),
    on: files({ base: { image: "app" }, layers: [{ from: "attic", to: "/more" }] }),
  },
}`;

/** A package whose image has a base that is only described, or whose blobs are files here. */
const based = (host: string, digest: string, data: Record<string, string>, eager: string) => `
load("//bazel:img.bzl", "image_import", "image_manifest", "image_push")

image_import(
    name = "base",
    digest = "${digest}",
    data = ${JSON.stringify(data)},
    ${eager}
    registries = ["${host}"],
    repository = "team/base",
)

image_manifest(
    name = "image",
    base = ":base",
    layers = ["//app:site_layer"],
)

image_push(
    name = "push",
    image = ":image",
    registry = "${host}",
    repository = "team/through",
)
`;

toolTest(
  ["bazel", "node", "docker-registry", "skopeo"],
  "a private base that Bazel pulled stays out of a public registry",
  async (t) => {
    await using inside = await startLoopbackRegistry();
    await using outside = await startLoopbackRegistry();
    await using rig = await bazelProject(images(inside.host, outside.host));
    const { project } = rig;
    await project.json(["push", "base", "--to", "inside"]);
    const image = `docker://${inside.host}/team/base:latest`;
    const raw = async (...args: string[]) =>
      (await runTool(["skopeo", "inspect", "--tls-verify=false", ...args, image])).stdout;
    const manifest = await raw("--raw");
    const digest = (await raw("--format", "{{.Digest}}")).trim();
    const { config, layers: [layer] } = JSON.parse(manifest) as Manifest;
    const data = { [digest]: manifest, [config.digest]: await raw("--raw", "--config") };
    project.write({ "based/BUILD.bazel": based(inside.host, digest, data, "") });

    const refused = async (name: string, ...options: string[]) => {
      const { code, stderr } = await project.images("push", name, "--to", "outside", ...options);
      assertStringIncludes(stderr, `${inside.host}/team/base@${digest}`);
      for (const word of [name, "the public outside", "the private inside"]) {
        assertStringIncludes(stderr, word);
      }
      assertEquals(code === 0, false, stderr);
      assertEquals(outside.requests().filter((each) => /^(PUT|POST|PATCH)/.test(each)), []);
    };
    await t.step("in a dry run", () => refused("app", "--dry-run"));
    await t.step("natively", () => refused("app"));
    await t.step("through a push target", () => refused("through"));
    await t.step("below an image that needs it", () => refused("on"));
    await t.step("though Bazel has its layers", async () => {
      const blob = `http://${inside.host}/v2/team/base/blobs/${layer!.digest}`;
      const bytes = new Uint8Array(await (await fetch(blob)).arrayBuffer());
      Deno.writeFileSync(project.path("based/layer.tar.gz"), bytes);
      const eager = `files = {"layer.tar.gz": "${layer!.digest}"},`;
      project.write({ "based/BUILD.bazel": based(inside.host, digest, data, eager) });
      await runTool(["rm", "-rf", project.path(".images")]);
      await refused("app");
      project.write({ "based/BUILD.bazel": based(inside.host, digest, data, "") });
    });
    await t.step("copied from the private registry on a machine that built nothing", async () => {
      await project.json(["push", "app", "on", "--to", "inside"]);
      await runTool(["rm", "-rf", project.path(".images")]);
      await refused("app");
      await refused("on");
    });
  },
);
