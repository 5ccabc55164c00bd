/** What ends a build: one clear error each, and no record. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { dockerPath, startDocker } from "../support/real/docker.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { Inspection } from "./inspection.ts";
import { BASE_ENTRY, engineProject, inEnvironmentOf, TOOLS } from "./rig.ts";

/** Builds what must fail; gives the exit status and what was said. */
async function failure(
  project: TestProject,
  engine: string,
): Promise<{ code: number; text: string }> {
  const { code, stderr } = await project.images("build", "app", "--engine", engine);
  const records = [...Deno.readDirSync(project.path(".images/records/images"))];
  assertEquals(records.filter(({ name }) => name.startsWith("app@")), []);
  return { code, text: stderr };
}

async function faultyProject(dockerfile: string, options = ""): Promise<TestProject> {
  const project = await engineProject({ "Dockerfile": dockerfile, "there": "there\n" });
  project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({
    network: "host", contexts: { base: { image: "base" } }, ${options}
  }) } }`);
  await project.json(["build", "base"]);
  return project;
}

toolTest(
  TOOLS,
  "a step that fails is shown with its line, its last words and its log",
  async (t) => {
    await using docker = await startDocker();
    await using store = await containers();
    await using project = await faultyProject([
      "FROM base AS one",
      "ARG UNUSED",
      "RUN true",
      "FROM one",
      "COPY there /",
      "RUN true && \\",
      "    echo some words >&2 && cat /not-there && \\",
      "    true",
      "",
    ].join("\n"));
    inEnvironmentOf(project, store, docker);
    for (const engine of ["docker", "podman", "buildah"]) {
      await t.step(engine, async () => {
        const { code, text } = await failure(project, engine);
        assertEquals(code, 1);
        assertMatch(text, /Dockerfile:6:1: RUN failed: it ended with status 1/);
        assertMatch(text, /> 6 \| RUN true && \\/);
        assertMatch(text, /^app +some words\n.*cat: can't open '\/not-there'/m);
        assertStringIncludes(text, "log: .images/logs/app.log");
      });
    }
    await t.step("docker without buildx", async () => {
      project.env["DOCKER_CONFIG"] = project.beside("no-plugins");
      Deno.mkdirSync(project.beside("no-plugins"));
      const { code, text } = await failure(project, "docker");
      assertEquals(code, 1);
      assertMatch(text, /Dockerfile:6:1: RUN failed: it ended with status 1/);
      assertMatch(
        Deno.readTextFileSync(project.path(".images/logs/app.log")),
        /^\$ docker build /m,
      );
    });
  },
);

toolTest(TOOLS, "what is wrong before any step starts no engine", async (t) => {
  const cases = [
    ["FROM base\nRUM true\n", "", 1, /Dockerfile:2:1: Unknown instruction RUM/],
    [
      "FROM base\nRUN true\nCOPY nope /\n",
      "",
      1,
      /Dockerfile:3:6: nope is not in the build context/,
    ],
    ["FROM base AS a\nRUN true\n", 'target: "b"', 1, /There is no stage "b" to build/],
    ["FROM base\nRUN true\n", 'secrets: ["id=x,src=nope"]', 1, /no file nope/],
    ["FROM base\nRUN true\n", 'secrets: ["src=nope"]', 1, /has no id/],
  ] as const;
  for (const [dockerfile, options, status, message] of cases) {
    await t.step(String(message), async () => {
      await using project = await faultyProject(dockerfile, options);
      for (const tool of ["docker", "podman", "buildah"]) project.fakeTool(tool);
      const { code, text } = await failure(project, "auto");
      assertMatch(text, message);
      assertMatch(text, /next: /);
      assertEquals(code, status);
      // Whether an engine works may be asked; nothing is built.
      const started = ["docker", "podman", "buildah"].flatMap((tool) => project.starts(tool));
      assertEquals(started.filter((line) => line !== "buildx inspect"), []);
    });
  }
});

toolTest(TOOLS, "an engine that is not there, stops or runs out of space is named", async (t) => {
  await using project = await faultyProject(
    "FROM base\nARG PORT\nRUN nc 127.0.0.1 $PORT < /dev/null\n",
  );
  await t.step("a daemon that does not run", async () => {
    await using store = await containers();
    inEnvironmentOf(project, store);
    project.env["PATH"] = `${dockerPath()}:${Deno.env.get("PATH")}`;
    project.env["DOCKER_HOST"] = `unix://${project.beside("nobody.sock")}`;
    const { code, text } = await failure(project, "docker");
    assertEquals(code, 3);
    assertMatch(text, /Cannot connect to the Docker daemon/);
    assertMatch(text, /see that docker works here, or choose another engine/);
  });
  await t.step("a daemon that is killed in mid-build", async () => {
    await using docker = await startDocker();
    using inspection = new Inspection(() => docker.stop("SIGKILL"));
    inEnvironmentOf(project, docker);
    project.env["DOCKER_HOST"] = docker.env["DOCKER_HOST"]!;
    project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({
      network: "host", contexts: { base: { image: "base" } }, args: { PORT: "${inspection.port}" }
    }) } }`);
    const { code, text } = await failure(project, "docker");
    assertEquals(code, 1);
    assertMatch(text, /The engine stopped answering while it built \(docker buildx\)/);
  });
  await t.step("a full disk", async () => {
    await using store = await containers();
    await Deno.mkdir(`${store.path}/storage`, { recursive: true });
    await runTool(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", `${store.path}/storage`]);
    inEnvironmentOf(project, store);
    delete project.env["DOCKER_CONFIG"];
    project.write({ "Dockerfile": "FROM base\nRUN dd if=/dev/zero of=/big bs=1M count=32\n" });
    const { code, text } = await failure(project, "buildah");
    assertEquals(code, 1);
    assertMatch(text, /The disk is full \(buildah\)/);
    assertMatch(text, /next: free space/);
  });
});
