/** The flywheel's components build by hand with the real tools, as its README says. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toolTest } from "../tools.ts";
import { bazelHome } from "./bazel.ts";
import { containers } from "./containers.ts";
import { assertServesIn, freePort, page } from "./dashboard.ts";
import { dockerPath, startDocker } from "./docker.ts";
import { copyFixture } from "./fixture.ts";
import { nixConfiguration } from "./nix.ts";
import { pushNodeBase } from "./node_base.ts";
import { runTool, startServer } from "./program.ts";
import { startLoopbackRegistry } from "./registry.ts";

const docker = dockerPath() === undefined ? ["dockerd"] : [];
const base = ["docker-registry", "umoci", "skopeo", "node"];

toolTest(["nix", "node"], "attic-server builds with nix and serves its cache", async () => {
  await using nix = await nixConfiguration();
  await using flywheel = await copyFixture("flywheel");
  const outputs = [];
  for (const name of ["attic-server-image", "atticd"]) {
    const { stdout } = await runTool(
      ["nix", "build", "--json", "--no-link", `path:${flywheel.path}#${name}`],
      nix,
    );
    outputs.push(JSON.parse(stdout)[0].outputs.out);
  }
  const [file, atticd] = outputs;
  const image = JSON.parse(await Deno.readTextFile(file));
  assertEquals(image["image-config"].Entrypoint, [`${atticd}/bin/atticd`]);
  assertEquals(image["image-config"].Cmd, ["--mode", "monolithic"]);
  assertEquals(image.layers.length, 2);

  const refusal = await runTool([`${atticd}/bin/atticd`], { allowFailure: true });
  assertEquals(refusal.code, 1);
  const port = freePort();
  await using server = await startServer(
    [`${atticd}/bin/atticd`, ...image["image-config"].Cmd],
    /listening on/,
    { env: { ATTICD_LISTEN: `127.0.0.1:${port}` } },
  );
  assertMatch(await page(port, "nix-cache-info"), /^StoreDir: \/nix\/store$/m);
  await server.stop();
});

toolTest(
  [...base, "buildah", "podman", "runc"],
  "runner-dashboard builds with buildah and podman, and serves",
  async () => {
    await using registry = await startLoopbackRegistry();
    await pushNodeBase(registry.host);
    await using store = await containers(registry.host);
    await using flywheel = await copyFixture("flywheel");
    const context = `${flywheel.path}/app`;
    const trees = [];
    for (const program of [["buildah", "bud"], ["podman", "build"]]) {
      const tag = `localhost/dashboard-${program[0]}`;
      await runTool([...program, "--isolation", "chroot", "-q", "-t", tag, context], store);
      const container = (await runTool(["buildah", "from", tag], store)).stdout.trim();
      const root = (await runTool(["buildah", "mount", container], store)).stdout.trim();
      trees.push((await runTool(["find", `${root}/app`, "-printf", "%P %m\\n"])).stdout);
      await assertServesIn(root);
      await runTool(["buildah", "rm", container], store);
    }
    assertEquals(trees[0]?.split("\n").sort(), trees[1]?.split("\n").sort());
    assertStringIncludes(trees[0] ?? "", "node_modules/send-static/index.js");
  },
);

toolTest([...base, ...docker, "runc"], "runner-dashboard builds with docker buildx", async () => {
  await using registry = await startLoopbackRegistry();
  await pushNodeBase(registry.host);
  await using engine = await startDocker(`http://${registry.host}`);
  await using flywheel = await copyFixture("flywheel");
  const root = `${flywheel.path}/root`;
  await runTool(
    [
      ...["docker", "buildx", "build", "--network", "host", "--provenance=false"],
      ...["-o", `type=local,dest=${root}`, `${flywheel.path}/app`],
    ],
    engine,
  );
  await assertServesIn(root);
});

toolTest(["bazel", "node", "skopeo"], "app builds and pushes with bazel", async () => {
  await using bazel = await bazelHome();
  await using registry = await startLoopbackRegistry();
  await using flywheel = await copyFixture("flywheel");
  const options = { cwd: flywheel.path, ...bazel };
  const groups = "digest,oci_layout,sparse_oci_layout,oci_tarball,descriptor,root_blob";
  await runTool(
    ["bazel", "build", "--symlink_prefix=/", `--output_groups=${groups}`, "//app:image"],
    options,
  );
  const bin = (await runTool(["bazel", "info", "bazel-bin"], options)).stdout.trim();
  const digest = await Deno.readTextFile(`${bin}/app/image_digest`);
  const pushed = await runTool(
    [
      ...["bazel", "run", "--symlink_prefix=/", "//app:push", "--"],
      ...["--registry", registry.host, "--repository", "flywheel/app", "--tag", "v1"],
    ],
    options,
  );
  assertEquals(pushed.stdout.trim().split("\n"), [
    `${registry.host}/flywheel/app@${digest}`,
    `${registry.host}/flywheel/app:latest`,
    `${registry.host}/flywheel/app:v1`,
  ]);
  const seen = await runTool([
    ...["skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}"],
    `docker://${registry.host}/flywheel/app:v1`,
  ]);
  assertEquals(seen.stdout.trim(), digest);
});
