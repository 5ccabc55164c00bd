/** Images of the graph in the hands of real engines. */

import { assertEquals, assertMatch } from "@std/assert";
import { filesOf } from "../dockerfile/files_of.ts";
import { imageOf } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { Inspection } from "./inspection.ts";
import { BASE_ENTRY, engineProject, imageIn, TOOLS } from "./rig.ts";

toolTest(
  [...TOOLS, "docker-registry"],
  "a graph builds in order, in parallel where it can, and on its published base after a clone",
  async (t) => {
    await using registry = await startLoopbackRegistry();
    await using docker = await startDocker();
    await using store = await containers();
    const both = barrier(2);
    using inspection = new Inspection(both);
    const step = `RUN nc 127.0.0.1 ${inspection.port} < /dev/null`;
    const files = {
      "middle/Dockerfile": "FROM base\nRUN echo middle > /middle\n",
      "left/Dockerfile": `FROM middle\nCOPY l /\n${step} && cat /middle /l > /left\n`,
      "left/l": "left\n",
      "right/Dockerfile": `FROM scratch\nCOPY --from=middle / /\n${step} && echo right > /right\n`,
    };
    const definition = `{
      registries: { here: registry("${registry.host}/graph") },
      images: {
        ${BASE_ENTRY},
        middle: dockerfile({ context: "middle", contexts: { base: { image: "base" } }, network: "host" }),
        ...each(["left", "right"], (name) => dockerfile({
          context: name, contexts: { middle: { image: "middle" } }, network: "host",
        })),
      },
    }`;
    await using first = await engineProject(files, docker, store);
    first.define(definition);
    await t.step("two that need one build at once, after it", async () => {
      assertEquals(await first.statuses("--all", "--engine", "docker", "--no-remote"), {
        base: "built",
        middle: "built",
        left: "built",
        right: "built",
      });
      const middle = imageIn(first, "middle").layers;
      const left = imageIn(first, "left").layers;
      assertEquals(
        left.slice(0, middle.length).map(({ diffId }) => diffId),
        middle.map(({ diffId }) => diffId),
      );
      assertEquals(await filesOf(left.slice(middle.length), { texts: true }), {
        "/l": "file 0644 0:0 left\n",
        "/left": "file 0644 0:0 middle\nleft\n",
      });
      await first.json(["push", "--all"]);
    });
    for (const engine of ["docker", "podman", "buildah"]) {
      await t.step(`${engine} builds on the published base of a clone`, async () => {
        await using clone = await engineProject(
          { ...files, "left/l": `${engine}\n` },
          docker,
          store,
        );
        clone.define(definition);
        assertEquals(await clone.statuses("--all", "--engine", engine), {
          base: "remote",
          middle: "remote",
          left: "built",
          right: "remote",
        });
        const { layers } = imageIn(clone, "left");
        const made = await filesOf(layers, { texts: true });
        assertEquals(made["/left"], `file 0644 0:0 middle\n${engine}\n`);
      });
    }
  },
);

toolTest(
  TOOLS,
  "Docker builds on the graph without containerd's store, and without buildx",
  async (t) => {
    await using docker = await startDocker(undefined, "own");
    await using project = await engineProject({
      "app/Dockerfile": "FROM base\nARG NAME\nCOPY Dockerfile /d\nRUN echo $NAME > /x && rm /d\n",
    }, docker);
    project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({
    context: "app", network: "host", contexts: { base: { image: "base" } }, hostEnv: ["NAME"],
  }) } }`);
    project.env["NAME"] = "somebody";
    for (const [way, config] of [["buildx", undefined], ["build", project.beside("no-plugins")]]) {
      await t.step(`docker ${way}`, async () => {
        if (config !== undefined) {
          Deno.mkdirSync(config);
          project.env["DOCKER_CONFIG"] = config;
        }
        const build = async () =>
          imageOf(await project.json(["build", "app", "--force", "--engine", "docker"]), "app");
        const built = await build();
        const log = Deno.readTextFileSync(project.path(".images/logs/app.log"));
        assertMatch(log, new RegExp(`^\\$ docker ${way} `, "m"));
        assertEquals((await build()).digest, built.digest);
        const { layers, config: { history } } = imageIn(project, "app");
        const own = layers.slice(imageIn(project, "base").layers.length);
        assertEquals(await filesOf(own, { texts: true }), { "/x": "file 0644 0:0 somebody\n" });
        assertEquals(JSON.stringify(history).includes("somebody"), false);
      });
    }
  },
);

/** Holds so many callers until all of them are there, and nobody after that. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = count;
  return () => {
    if (--missing <= 0) resolve();
    return promise;
  };
}
