/** Bases that Nix pulls: found in derivations, and kept out of public registries. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Digest } from "../../lib/model/digest.ts";
import { pulledIn } from "../../plugins/nix2container/pulled_bases.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf } from "../publish/rig.ts";
import type { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { flakeOf, FlakeProject, SYSTEM } from "./rig.ts";

Deno.test("pulledIn() reads what pullImage and pullImageFromManifest write", () => {
  const digest: Digest = `sha256:${"a".repeat(64)}`;
  assertEquals(pulledIn(`("sourceURL","docker://registry.corp/team/base@${digest}")`), [
    { references: [`registry.corp/team/base@${digest}`] },
  ]);
  assertEquals(pulledIn(`copy \\"docker://alpine@${digest}\\" dir:out`), [
    { references: [`docker.io/library/alpine@${digest}`] },
  ]);
  const blob = `curl https://registry.corp:5000/v2/team/base/blobs/${digest} --output x`;
  assertEquals(pulledIn(blob), [
    { references: ["registry.corp:5000/team/base"], layers: [digest] },
  ]);
  assertEquals(pulledIn("docker://NOT A REFERENCE, https://example.com/v2/"), []);
});

toolTest(
  ["nix", "docker-registry"],
  "an image on a base that Nix pulls from a private registry",
  async () => {
    await using inside = await startLoopbackRegistry();
    await using outside = await startLoopbackRegistry();
    const source = `${inside.host}/team/base@sha256:${"b".repeat(64)}`;
    const flake = flakeOf(`{
      packages.${SYSTEM}.app = image {
        name = "app";
        script = ": \${derivation {
          name = "docker-image-base";
          system = "${SYSTEM}";
          builder = "/bin/sh";
          args = [ "-c" "echo pulled > $out" ];
          sourceURL = "docker://${source}";
        }}";
      };
    }`);
    const images = `{
      registries: {
        inside: registry("${inside.host}/team", { visibility: "private" }),
        outside: registry("${outside.host}/team", { visibility: "public" }),
      },
      images: { app: nix2container({ installable: ".#app" }) },
    }`;
    await using rig = await FlakeProject.create({ "flake.nix": flake }, images);
    const refused = async ({ project }: { readonly project: TestProject }) => {
      const { code, stderr } = await project.images("push", "app", "--to", "outside");
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, `"app" for the public outside is based on ${source}`);
      assertStringIncludes(stderr, "the private inside");
      assertEquals(outside.requests().filter((each) => /^(PUT|POST|PATCH)/.test(each)), []);
    };
    await refused(rig);
    assertEquals((await rig.project.images("push", "app", "--to", "inside")).code, 0);

    // A fresh machine finds it by its sources, without asking Nix what it is based on.
    await using clone = await cloneOf(rig.project);
    await runTool(["git", "-C", clone.root, "status"]);
    assertEquals(await rig.started(() => refused({ project: clone })), []);
  },
);
