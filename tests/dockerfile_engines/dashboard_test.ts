/** The flywheel's dashboard with every real engine, from a base in a registry. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { type Containers, containers } from "../support/real/containers.ts";
import { assertServes } from "../support/real/dashboard.ts";
import { startDocker } from "../support/real/docker.ts";
import { copyFixture } from "../support/real/fixture.ts";
import { pushNodeBase } from "../support/real/node_base.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { toolTest } from "../support/tools.ts";
import { ENGINES, filesOf, inEnvironmentOf, layersOf, TOOLS } from "./rig.ts";

toolTest(
  [...TOOLS, "docker-registry", "skopeo", "node"],
  "docker buildx, podman and buildah build the dashboard, which then serves",
  async (t) => {
    await using registry = await startLoopbackRegistry();
    await pushNodeBase(registry.host);
    await using store = await containers(registry.host);
    await using docker = await startDocker(`http://${registry.host}`);
    await using flywheel = await copyFixture("flywheel");
    await using project = await TestProject.create();
    inEnvironmentOf(project, store, docker);
    await runTool(["cp", "-r", `${flywheel.path}/app`, project.path("app")]);
    project.define(`{ images: { app: dockerfile({ context: "app", network: "host" }) } }`);

    const digests = new Map<string, string | undefined>();
    const files: string[][] = [];
    for (const engine of ENGINES) {
      await t.step(`${engine} builds what serves, from empty caches`, async () => {
        const build = async () => {
          await using empty = await containers(registry.host);
          inEnvironmentOf(project, empty, docker);
          const document = await project.json(["build", "app", "--force", "--engine", engine]);
          inEnvironmentOf(project, store, docker);
          const { status, digest } = imageOf(document, "app");
          assertEquals(status, "built");
          assertMatch(digest ?? "", /^sha256:[0-9a-f]{64}$/);
          return digest;
        };
        digests.set(engine, await build());
        files.push(await ownFiles(project));
        const log = Deno.readTextFileSync(project.path(".images/logs/app.log"));
        assertMatch(log, new RegExp(`^\\$ ${engine} `, "m"));
        assertMatch(log, /FROM docker\.io\/library\/node@sha256:[0-9a-f]{64}/);
        await assertContainerServes(project, store);
        if (engine !== "docker") return;
        await runTool(["docker", "buildx", "prune", "--all", "--force"], docker);
        assertEquals(await build(), digests.get(engine));
      });
    }
    await t.step("each engine's result holds the same files", () => {
      const [first, ...others] = files;
      assert(first!.some((line) => line.startsWith("app/build/index.js f 644")));
      for (const other of others) assertEquals(other, first);
      // Podman builds with buildah's code, and did in another store.
      assertEquals(digests.get("podman"), digests.get("buildah"));
    });

    for (const engine of ENGINES) {
      project.fakeTool(engine, "exec env PATH=${PATH#*:} " + engine + ' "$@"');
    }
    project.env["PATH"] = `${project.beside("bin")}:${docker.env["PATH"]}`;
    const starts = () => ENGINES.flatMap((engine) => project.starts(engine));
    await t.step("nothing is started where nothing it can see changed", async () => {
      assertEquals(await project.statuses("app"), { app: "cached" });
      project.write({ "app/README.md": "changed", "app/src/hidden.test.js": "hidden" });
      await Deno.chmod(project.path("app/src/server.js"), 0o600);
      assertEquals(await project.statuses("app"), { app: "cached" });
      assertEquals(starts(), []);
    });
    await t.step("a changed source is built, and named", async () => {
      project.write({ "app/static/style.css": "h1 { color: teal }\n" });
      const built = imageOf(await project.json(["build", "app"]), "app");
      assertEquals(built.status, "built");
      assertEquals(built.reasons, [{ kind: "input-changed", path: "app/static/style.css" }]);
      assert(project.starts("docker").some((line) => line.startsWith("buildx build ")));
    });
    await t.step(
      "a moved base is planned with its old and new digest, unless it is pinned",
      async () => {
        const digestNow = async () => {
          const { stdout } = await runTool([
            ...["skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}"],
            `docker://${registry.host}/library/node:20-alpine`,
          ]);
          return stdout.trim().slice("sha256:".length, "sha256:".length + 12);
        };
        const before = await digestNow();
        await project.json(["pin", "app"]);
        // Any other image will do.
        await runTool([
          ...["skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false"],
          `oci:${project.path(".images/oci")}:app`,
          `docker://${registry.host}/library/node:20-alpine`,
        ]);
        const after = await digestNow();
        assertNotEquals(before, after);
        const pinned = await project.images("plan", "app");
        assertMatch(pinned.stdout, /app +current/);
        assertMatch(pinned.stdout, new RegExp(`moved since it was pinned: ${before}… → ${after}…`));
        await Deno.remove(project.path("images.lock"));
        const moved = imageOf(await project.json(["plan", "app"]), "app");
        assertEquals(moved.verdict, "build");
        assertEquals(moved.reasons, [{
          kind: "base-changed",
          path: "docker.io/library/node:20-alpine",
          detail: `${before}… → ${after}…`,
        }]);
      },
    );
  },
);

/** What the image's layers above the base hold. */
async function ownFiles(project: TestProject): Promise<string[]> {
  await using folder = await tempFolder("dashboard");
  for (const layer of layersOf(project, "app").slice(1)) {
    await runTool(["tar", "-xf", layer, "-C", folder.path]);
  }
  return await filesOf(folder.path);
}

/** Runs the image as a container, as its entrypoint says, and reads its pages. */
async function assertContainerServes(project: TestProject, store: Containers): Promise<void> {
  await project.json(["load", "app", "--engine", "podman"]);
  await assertServes([
    ...["podman", "run", "--rm", "--network", "host", "--env", "PORT", "--env", "HOST"],
    ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "app:latest"],
  ], store.env);
}
