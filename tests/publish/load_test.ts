import { assertEquals, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { dockerPath, startDocker } from "../support/real/docker.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf, siteProject } from "./rig.ts";

toolTest(
  ["podman", "docker-registry"],
  "load hands images to podman, and again leaves them",
  async (t) => {
    await using registry = await startLoopbackRegistry();
    await using project = await siteProject({ local: registry.host });
    await using store = await containers();
    Object.assign(project.env, store.env);
    const loaded = async (name: string) => {
      const command = ["podman", "image", "inspect", "--format", "{{.Id}}", name];
      return (await runTool(command, store)).stdout.trim();
    };
    await t.step("after a build, under its name", async () => {
      const document = await project.json(["load", "--engine", "podman"]);
      for (const name of ["site", "app", "top"]) {
        assertEquals(`sha256:${await loaded(`${name}:latest`)}`, imageOf(document, name).imageId);
      }
      const again = await project.images("load", "--engine", "podman");
      assertEquals([again.code, again.stderr.includes("into podman")], [0, false]);
    });
    await t.step("what only the registry has is fetched for it", async () => {
      await project.json(["push", "--all"]);
      await runTool(["podman", "rmi", "-a", "-f"], store);
      await using clone = await cloneOf(project);
      const document = await clone.json(["build", "top", "--load", "--engine", "podman"]);
      const top = imageOf(document, "top");
      assertEquals([top.status, top.imageId], ["remote", `sha256:${await loaded("top:latest")}`]);
    });
    await t.step("an engine that has no store, or is not there, is a fault", async () => {
      const odd = await project.images("load", "--engine", "native");
      assertEquals([odd.code, odd.stderr.includes("--engine docker or podman")], [2, true]);
      project.env.PATH = `${Deno.execPath().replace(/\/deno$/, "")}`;
      const none = await project.images("load", "--engine", "podman");
      assertEquals(none.code, 3, none.stderr);
      assertStringIncludes(none.stderr, "install podman");
    });
    await t.step("a failed load names the engine's reason", async () => {
      project.fakeTool(
        "podman",
        'case "$1" in load) cat > /dev/null; echo "no room" >&2; exit 125;; esac; exit 1',
      );
      const { code, stderr } = await project.images("load", "site", "--engine", "podman");
      assertEquals(code, 1);
      assertStringIncludes(stderr, "podman cannot load it: no room");
    });
  },
);

toolTest(
  ["runc", ...dockerPath() === undefined ? ["dockerd"] : []],
  "load hands images to docker",
  async () => {
    await using project = await siteProject({});
    await using engine = await startDocker();
    Object.assign(project.env, engine.env);
    const { stderr } = await project.images("load", "site", "top", "--engine", "docker");
    assertStringIncludes(stderr, "site  loaded       into docker as site:latest\n");
    const command = [
      "docker",
      "image",
      "inspect",
      "--format",
      "{{json .Config.Cmd}}",
      "top:latest",
    ];
    assertEquals((await runTool(command, engine)).stdout.trim(), '["/serve"]');
  },
);

toolTest(["podman", "runc"], "what is exported runs in podman", async () => {
  await using project = await TestProject.resident();
  await using store = await containers();
  Deno.mkdirSync(project.path("bin"));
  Deno.copyFileSync("/bin/busybox", project.path("bin/busybox"));
  project.define(`{ images: { hi: files({ layers: [{ from: "bin", to: "/bin" }],
    entrypoint: ["/bin/busybox"], cmd: ["echo", "hello"] }) } }`);
  for (const form of ["oci-archive", "docker-archive"]) {
    const path = project.beside(`${form}.tar`);
    await project.json(["export", "hi", "--to", `${form}:${path}`]);
    const { stdout } = await runTool(["podman", "load", "-q", "-i", path], store);
    const name = stdout.trim().replace(/^Loaded image(\(s\))?: /, "");
    const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
    const run = await runTool(
      ["podman", "run", "--rm", "--network", "host", ...limits, name],
      store,
    );
    assertEquals(run.stdout, "hello\n", form);
  }
});
