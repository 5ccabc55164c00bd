/** A base whose ONBUILD takes from stages of the Dockerfile that uses it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { filesOf } from "../dockerfile/files_of.ts";
import { TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { toolTest } from "../support/tools.ts";
import { BASE_ENTRY, engineProject, imageIn, TOOLS } from "./rig.ts";

const BUILDER = "FROM base AS builder\nCOPY jar /out/\n";
const COMPANY =
  'company: dockerfile({ context: "company", contexts: { base: { image: "base" } } })';
const APP =
  'app: dockerfile({ context: "app", network: "host", contexts: { base: { image: "base" }, company: { image: "company" } } })';

toolTest(TOOLS, "ONBUILD takes from a stage that the Dockerfile uses too", async (t) => {
  await using store = await containers();
  await using docker = await startDocker();
  await using project = await engineProject(
    {
      "company/Dockerfile": "FROM base\nONBUILD COPY --from=builder /out /service\n",
      "app/Dockerfile": `${BUILDER}FROM company\nCOPY --from=builder /out/jar /again\n`,
      "app/jar": "jar\n",
    },
    store,
    docker,
  );
  project.define(`{ images: { ${BASE_ENTRY}, ${COMPANY}, ${APP} } }`);
  for (const engine of ["native", "buildah", "podman"]) {
    await t.step(engine, async () => {
      await project.json(["build", "app", "--force", "--engine", engine]);
      const files = await filesOf(imageIn(project, "app").layers, { texts: true });
      assertEquals([files["/service/jar"], files["/again"]], [
        "file 0644 0:0 jar\n",
        "file 0644 0:0 jar\n",
      ]);
    });
  }
  await t.step("docker is refused, with what else to do", async () => {
    const { code, stderr } = await project.images("build", "app", "--force", "--engine", "docker");
    assertEquals(code, 3);
    assertStringIncludes(stderr, "does not know a base's ONBUILD that takes from a stage");
    assertStringIncludes(stderr, '"# syntax=docker/dockerfile:1"');
    assertStringIncludes(stderr, "app/Dockerfile:3:");
  });
  await t.step("what it takes changes", async () => {
    project.write({ "app/jar": "other\n" });
    await project.json(["build", "app", "--engine", "buildah"]);
    const files = await filesOf(imageIn(project, "app").layers, { texts: true });
    assertEquals(files["/service/jar"], "file 0644 0:0 other\n");
  });
});

const REFUSED: readonly [name: string, onbuild: string, dockerfile: string, words: string[]][] = [
  [
    "a stage that nothing uses",
    "COPY --from=builder /out /service",
    `${BUILDER}FROM company\n`,
    ['The base\'s ONBUILD reads "builder", which is not in the key', "Dockerfile:3:"],
  ],
  [
    "a misspelt stage",
    "COPY --from=builder /out /service",
    `${BUILDER.replace("builder", "bulider")}FROM company\n`,
    ["which is no stage", 'name the stage "builder" if "bulider" was meant'],
  ],
  [
    "an image",
    "COPY --from=missing.example/tools /t /t",
    "FROM company\n",
    [
      "reads missing.example/tools:latest, which is not in the key",
      "COPY --from=missing.example/t",
    ],
  ],
  [
    "a mounted stage",
    "RUN --mount=from=builder,target=/b true",
    `${BUILDER}FROM company\n`,
    ['The base\'s ONBUILD reads "builder"', "RUN --mount=from=builder true"],
  ],
];

Deno.test("ONBUILD that takes from what the key does not hold is refused", async (t) => {
  for (const [name, onbuild, dockerfile, words] of REFUSED) {
    await t.step(name, async () => {
      await using project = await TestProject.create({
        "base/Dockerfile": "FROM scratch\nCOPY Dockerfile /\n",
        "company/Dockerfile": `FROM base\nONBUILD ${onbuild}\n`,
        "app/Dockerfile": dockerfile,
        "app/jar": "jar\n",
      });
      project.define(`{ images: { ${BASE_ENTRY}, ${COMPANY}, ${APP} } }`);
      const { code, stderr } = await project.images("build", "app");
      assertEquals(code, 1);
      for (const word of words) assertStringIncludes(stderr, word);
    });
  }
});
