/** Builds on a pinned base whose registry is gone. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { filesOf } from "../dockerfile/files_of.ts";
import { imageOf, type TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { full, toolTest } from "../support/tools.ts";
import { BASE_ENTRY, engineProject, ENGINES, imageIn, TOOLS } from "./rig.ts";

/** podman and buildah share their store, so one stands for both where time is short. */
const BUILDERS = ["native", ...ENGINES.filter((engine) => full || engine !== "buildah")];

toolTest(
  [...TOOLS, "docker-registry"],
  "a pinned base that was read once needs no registry any more",
  async (t) => {
    await using docker = await startDocker();
    await using store = await containers();
    await using project = await engineProject({ "src": "with its registry\n" }, docker, store);
    {
      await using registry = await startLoopbackRegistry();
      await pinAndBuild(project, registry.host);
    }
    project.write({ "src": "without it\n" });
    for (const engine of BUILDERS) {
      await t.step(`${engine} builds without it`, async () => {
        const built = imageOf(await project.json(["build", engine]), engine);
        assertEquals(built.reasons, [{ kind: "input-changed", path: "src" }]);
        const files = await filesOf(imageIn(project, engine).layers.slice(1), { texts: true });
        assertEquals(files["/src"], "file 0644 0:0 without it\n");
        if (engine === "native") assertMatch(files["/sh"]!, /^file 0755 0:0 /);
        else assertEquals(files[`/made-by-${engine}`], "file 0644 0:0 without it\n");
      });
    }
  },
);

/** Publishes a base, pins it for an image of each engine, and builds them. */
async function pinAndBuild(project: TestProject, host: string): Promise<void> {
  await using publisher = await engineProject({});
  publisher.define(
    `{ registries: { here: registry("${host}") }, images: { ${BASE_ENTRY} } }`,
  );
  const { destinations = [] } = imageOf(await publisher.json(["push", "base"]), "base");
  const digest = destinations[0]!.digest!;
  const base = `${host}/base`;
  project.write({
    "native.Dockerfile": `FROM ${base}\nCOPY src /src\nCOPY --from=${base}@${digest} /bin/sh /sh\n`,
    ...Object.fromEntries(
      BUILDERS.slice(1).map((engine) => [
        `${engine}.Dockerfile`,
        `FROM ${base}\nCOPY src /src\nRUN cat /src > /made-by-${engine}\n`,
      ]),
    ),
  });
  const entries = BUILDERS.map((engine) =>
    `${engine}: dockerfile({ file: "${engine}.Dockerfile", engine: "${engine}", network: "host" })`
  );
  project.define(`{ images: { ${entries.join(", ")} } }`);
  await project.json(["pin"]);
  assertStringIncludes(Deno.readTextFileSync(project.path("images.lock")), digest);
  await project.json(["build", "--all"]);
}
