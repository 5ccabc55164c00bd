/** What engines do not know is carried out here, left to another engine, or refused with a remedy. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Demand, Feature } from "../../plugins/dockerfile/engines/demands.ts";
import {
  buildKitInDocker,
  lackOfBuildah,
  lackOfBuildKit,
} from "../../plugins/dockerfile/engines/features.ts";
import { filesOf } from "../dockerfile/files_of.ts";
import { imageOf } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { BASE_ENTRY, engineProject, ENGINES, imageIn, TOOLS } from "./rig.ts";

const demands = (...features: Feature[]): Demand[] =>
  features.map((feature) => ({ feature, what: feature }));

Deno.test("BuildKit's frontend decides, its own or the one that the Dockerfile names", () => {
  const cases: readonly [Feature, string | undefined, string | undefined, boolean][] = [
    ["parents", "0.13.2", undefined, true],
    ["parents", "v0.26.0", undefined, false],
    ["parents", "0.13.2", "docker/dockerfile:1", false],
    ["parents", "0.13.2", "docker.io/docker/dockerfile:1.20.1", false],
    ["parents", "0.26.0", "docker/dockerfile:1.7", true],
    ["parents", "0.13.2", "docker/dockerfile:1.7-labs", false],
    ["parents", "0.13.2", "docker/dockerfile:1.6.0-labs", true],
    ["parents", "0.13.2", "docker/dockerfile:1.20@sha256:00", false],
    ["parents", "0.13.2", "docker/dockerfile:latest", false],
    ["parents", "0.13.2", "registry.example/our/frontend:1.0", false],
    ["parents", undefined, undefined, false],
    ["parents", "v0.0.0+unknown", undefined, false],
    ["exclude", "0.24", undefined, true],
    ["exclude", "0.25", undefined, false],
    ["chmod-words", "0.19", undefined, true],
    ["chmod-words", "0.20", undefined, false],
    ["device", "0.26", undefined, true],
    ["device", "0.26", "docker/dockerfile:1", true],
    ["device", "0.26", "docker/dockerfile:1-labs", false],
    ["archive-owner", "0.22", "docker/dockerfile:1", true],
    ["archive-owner", "0.23", undefined, false],
    ["heredoc", "0.13", undefined, false],
  ];
  for (const [feature, buildKit, syntax, lacks] of cases) {
    const lack = lackOfBuildKit(demands("mount", feature), buildKit, syntax);
    assertEquals(lack !== undefined, lacks, `${feature} of ${buildKit} with ${syntax}`);
  }
  assertEquals(
    lackOfBuildKit(demands("parents"), "0.13", undefined)?.remedy,
    'begin the Dockerfile with "# syntax=docker/dockerfile:1"',
  );
});

Deno.test("buildah's version decides, and nothing is refused where it is not known", () => {
  const first = lackOfBuildah(demands("mount", "parents", "heredoc"), "1.39.1");
  assertEquals([first?.demand.feature, first?.remedy], [
    "parents",
    "update buildah to 1.40 or later",
  ]);
  assertEquals(lackOfBuildah(demands("parents", "heredoc"), "1.40.0"), undefined);
  assertEquals(lackOfBuildah(demands("parents"), undefined), undefined);
  assertEquals(lackOfBuildah(demands("unpack"), "9.0")?.remedy, undefined);
  assertEquals(lackOfBuildah(demands("unpack"), "9.0")?.demand.feature, "unpack");
});

Deno.test("Docker's version tells which BuildKit is inside", () => {
  const versions = ["26.1.5+dfsg1", "27.2.0", "28.3.1", "31.0.0", "17.0", "dev"];
  assertEquals(versions.map(buildKitInDocker), [
    "0.13",
    "0.15",
    "0.23",
    "0.26",
    undefined,
    undefined,
  ]);
});

const COPIES = `ARG MODE=751
FROM base
ARG MODE
WORKDIR /work
COPY --chmod=+x tool /bin/tool
COPY --chmod=+x tool /bin
COPY --chmod=u=rwx,go= tree/ /private/
COPY --chmod=$MODE --chown=3:4 tool named/
COPY --chmod=go-r *ol /globbed/
COPY --parents tree/a/one tool ./
COPY --parents ./tree/./**/one /pivot/
COPY --exclude=**/one --exclude=b tree /without
COPY --exclude=*.none tree/a/one /single
COPY --from=more --chmod=+x text /from-folder
COPY --chmod=+x nothing* /optional/
`;

toolTest(TOOLS, "COPY with newer flags comes out as it does without an engine", async (t) => {
  await using store = await containers();
  await using docker = await startDocker();
  await using project = await engineProject(
    {
      "native/Dockerfile": COPIES,
      "engine/Dockerfile": `${COPIES}RUN true\n`,
      "more/text": "text\n",
    },
    store,
    docker,
  );
  for (const context of ["native", "engine"]) {
    project.write({
      [`${context}/tool`]: "#!/bin/sh\n",
      [`${context}/tree/a/one`]: "1\n",
      [`${context}/tree/a/two`]: "2\n",
      [`${context}/tree/b/three`]: "3\n",
    });
    Deno.symlinkSync("a/one", project.path(`${context}/tree/link`));
  }
  const recipe = (context: string) =>
    `${context}: dockerfile({ context: "${context}", network: "host",
      contexts: { base: { image: "base" }, more: "more" } })`;
  project.define(`{ images: { ${BASE_ENTRY}, ${recipe("native")}, ${recipe("engine")} } }`);
  const files = (name: string) => filesOf(imageIn(project, name).layers, { texts: true });
  await project.json(["build", "native"]);
  const expected = await files("native");
  assertEquals(expected["/work/tree/a/one"], "file 0644 0:0 1\n");
  assertEquals(expected["/private/a"], "folder 0700 0:0");
  for (const engine of ENGINES) {
    await t.step(engine, async () => {
      await project.json(["build", "engine", "--force", "--engine", engine]);
      assertEquals(await files("engine"), expected);
    });
  }
});

toolTest([...TOOLS, "tar"], "what an engine does not know is refused with its line", async (t) => {
  await using store = await containers();
  await using docker = await startDocker();
  const cases: readonly [line: string, what: string][] = [
    ["ADD --chown=1:2 a.tar /", "ADD --chown of an archive"],
    ["ADD --unpack=true a.tar /", "ADD --unpack"],
    ["ADD --chmod=+x text /", "ADD --chmod=+x"],
    ["COPY --from=other --chmod=+x /Dockerfile /", "COPY --chmod=+x"],
    ["COPY --from=other --parents /Dockerfile /", "COPY --parents"],
    ["RUN --device=none true", "RUN --device"],
    ["RUN --security=sandbox true", "RUN --security"],
  ];
  for (const [line, what] of cases) {
    await using project = await engineProject(
      {
        "app/Dockerfile": `FROM base AS other\nRUN true\nFROM base\n${line}\nRUN true\n`,
        "app/text": "text",
        "in/a": "a",
      },
      store,
      docker,
    );
    await runTool(["tar", "-C", project.path("in"), "-cf", project.path("app/a.tar"), "a"]);
    project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({ context: "app",
      network: "host", contexts: { base: { image: "base" } } }) } }`);
    for (const engine of ["docker", "buildah"]) {
      await t.step(`${line} by ${engine}`, async () => {
        const document = await project.json(["build", "app", "--engine", engine], 3);
        const { message = "", where = "", next = "" } = imageOf(document, "app").error ?? {};
        assertStringIncludes(message, `does not know ${what}`);
        assertStringIncludes(where, "app/Dockerfile:4:");
        assertStringIncludes(next, "choose another engine");
        if (engine === "docker") {
          assertStringIncludes(next, /owner|archive/.test(what) ? "update BuildKit" : "# syntax=");
        }
      });
    }
  }
  await t.step("ADD --chown of a plain file is known to all", async () => {
    await using project = await engineProject(
      {
        "app/Dockerfile": "FROM base\nADD --chown=1:2 text /out\nRUN true\n",
        "app/text": "text",
      },
      store,
      docker,
    );
    project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({ context: "app",
      network: "host", contexts: { base: { image: "base" } } }) } }`);
    await project.json(["build", "app", "--engine", "buildah"]);
    const files = await filesOf(imageIn(project, "app").layers, { texts: true });
    assertEquals(files["/out"], "file 0644 1:2 text");
  });
});
