import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Drift } from "../../lib/run/drift.ts";
import type { ImageResult } from "../../lib/model/result.ts";
import { TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { dockerPath, startDocker } from "../support/real/docker.ts";
import { toolTest } from "../support/tools.ts";

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
    Object.assign(project.env, store.env);
    await assertNamesTheClock(project);
  },
);

toolTest(
  [...(dockerPath() === undefined ? ["docker", "dockerd"] : []), "runc", "busybox"],
  "check --rebuild names the file that docker writes the time of day to",
  async () => {
    await using engine = await startDocker();
    await using project = await clock("docker");
    Object.assign(project.env, engine.env);
    await assertNamesTheClock(project);
  },
);
