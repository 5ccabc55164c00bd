import { assertEquals, assertStringIncludes } from "@std/assert";
import { inEnvironmentOf } from "../dockerfile_engines/rig.ts";
import type { Drift } from "../../lib/run/drift.ts";
import type { ImageComparison } from "../../lib/oci/compare_images.ts";
import type { ImageResult } from "../../lib/model/result.ts";
import { TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { dockerPath, startDocker } from "../support/real/docker.ts";
import { copyFixture } from "../support/real/fixture.ts";
import { pushNodeBase } from "../support/real/node_base.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { full, toolTest } from "../support/tools.ts";

/** A Dockerfile that writes the time of day, on an image of busybox. */
async function clock(engine: string): Promise<TestProject> {
  const project = await TestProject.create({
    "clock/Dockerfile": [
      "FROM base",
      "RUN echo always the same > /fixed",
      "RUN (date; cat /proc/uptime) > /built-at && echo fixed > /beside",
      "",
    ].join("\n"),
  });
  Deno.mkdirSync(project.path("root/bin"), { recursive: true });
  Deno.copyFileSync("/bin/busybox", project.path("root/bin/busybox"));
  for (const name of ["sh", "date", "cat", "echo"]) {
    Deno.symlinkSync("busybox", project.path(`root/bin/${name}`));
  }
  project.define(`{
    images: {
      busybox: files({ layers: [{ from: "root", to: "/" }], env: { PATH: "/bin" } }),
      clock: dockerfile({
        context: "clock",
        contexts: { base: { image: "busybox" } },
        engine: "${engine}",
        network: "host",
      }),
    },
  }`);
  return project;
}

async function assertNamesTheClock(project: TestProject): Promise<void> {
  const { code, stdout, stderr } = await project.images("check", "clock", "--rebuild", "--json");
  assertEquals(code, 1, stderr);
  const { drifts, images }: { drifts: Drift[]; images: ImageResult[] } = JSON.parse(stdout);
  assertEquals(
    drifts.map(({ id, same, config, layers }) => [
      id,
      same,
      config,
      layers.flatMap(({ files }) => files.map(({ path, what }) => [path, what])),
    ]),
    [
      ["busybox", true, [], []],
      ["clock", false, [], [["/built-at", ["content"]]]],
    ],
    JSON.stringify(images.map(({ error }) => error)),
  );
  const [layer] = drifts[1]?.layers ?? [];
  assertStringIncludes(layer?.createdBy ?? "", "> /built-at");
}

toolTest(
  ["buildah", "runc", "busybox"],
  "check --rebuild names the file that buildah writes the time of day to",
  async () => {
    await using store = await containers();
    await using project = await clock("buildah");
    inEnvironmentOf(project, store);
    await assertNamesTheClock(project);
  },
);

toolTest(
  [...(dockerPath() === undefined ? ["docker", "dockerd"] : []), "runc", "busybox"],
  "check --rebuild names the file that docker writes the time of day to",
  async () => {
    await using engine = await startDocker();
    await using project = await clock("docker");
    inEnvironmentOf(project, engine);
    await assertNamesTheClock(project);
  },
);

// A base of Node takes a while to make; diff_test.ts does the same without an engine.
if (full) {
  toolTest(
    ["buildah", "runc", "busybox", "umoci", "docker-registry", "skopeo", "node"],
    "diff names the one file of the dashboard that another page makes",
    async () => {
      await using registry = await startLoopbackRegistry();
      await pushNodeBase(registry.host);
      await using store = await containers(registry.host);
      await using flywheel = await copyFixture("flywheel");
      await using project = await TestProject.create();
      inEnvironmentOf(project, store);
      await runTool(["cp", "-r", `${flywheel.path}/app`, project.path("app")]);
      project.define(`{
      registries: { local: registry("${registry.host}/flywheel") },
      images: { dashboard: dockerfile({ context: "app", engine: "buildah" }) },
    }`);
      const pushed = await project.images("push", "dashboard");
      assertEquals(pushed.code, 0, pushed.stderr);
      project.write({ "app/src/routes/about.md": "# About\n\nAnother text\n" });
      const { code, stdout, stderr } = await project.images("diff", "dashboard", "--json");
      assertEquals(code, 0, stderr);
      const [found]: ImageComparison[] = JSON.parse(stdout).images;
      assertEquals(
        found?.files.map(({ path, change, what }) => [path, change, what]),
        [["/app/build/client/about.html", "changed", ["content"]]],
      );
      assertEquals([found?.config, found?.packages], [[], []]);
    },
  );
}
