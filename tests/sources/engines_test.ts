/** What is fetched, and named contexts of all kinds, in the hands of real engines. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  BASE_ENTRY,
  engineProject,
  ENGINES,
  inEnvironmentOf,
  TOOLS,
} from "../dockerfile_engines/rig.ts";
import { imageOf, type TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { filesIn, publishTool } from "./images.ts";
import { Repository } from "./repository.ts";
import { WebServer } from "./server.ts";

const NEEDED = [...TOOLS, "git", "docker-registry"];

/** Lines that look at all there is, so that each source goes through a layer of the engine. */
const LOOK = "RUN cat /url /d/list.txt /q /git/f /json/list.txt /tool/marker /ctx/f > /all";

/** Defines `app` with these contexts, and options that the engines need. */
function define(project: TestProject, contexts: Readonly<Record<string, unknown>>): void {
  project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({ network: "host",
    contexts: ${JSON.stringify({ base: { image: "base" }, ...contexts })} }) } }`);
}

toolTest(NEEDED, "engines get what the key says, and nothing else", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using server = new WebServer();
  await using repository = await Repository.create();
  await using docker = await startDocker();
  await using project = await engineProject({}, docker);
  await publishTool(registry.host, "tool");
  server.serve("/list.txt", "list");
  server.serve("/odd%20name$x", "odd");
  await repository.commit({ "f": "git", "api/f": "api" });
  project.write({
    "Dockerfile": [
      "FROM base",
      "ARG NAME=list.txt",
      `ADD ${server.url("/list.txt")} /url`,
      `ADD --chown=5:6 --chmod=640 \\\n  ${server.url("/$NAME")} \\\n  /d/`,
      `ADD ${server.url("/odd%20name$x").replace("$", "\\$")} /q`,
      `ADD ${repository.url("#main")} /git`,
      `ADD ["${server.url("/list.txt")}", "/json/"]`,
      "COPY --from=tool /etc/marker /tool/marker",
      "COPY --from=src f /ctx/f",
      LOOK,
      "",
    ].join("\n"),
  });
  define(project, {
    tool: `docker-image://${registry.host}/tool:1`,
    src: repository.url("#main:api"),
  });
  for (const engine of ENGINES) {
    await t.step(engine, async () => {
      await using store = await containers();
      inEnvironmentOf(project, store, docker);
      const built = await project.json(["build", "app", "--force", "--engine", engine]);
      assertEquals(imageOf(built, "app").status, "built");
      const files = await filesIn(project, "app");
      const wanted = {
        "/all": "file 0644 0:0 listlistoddgitlisttoolapi",
        "/url": "file 0600 0:0 list",
        "/d/list.txt": "file 0640 5:6 list",
        "/q": "file 0600 0:0 odd",
        "/git/f": "file 0644 0:0 git",
        "/json/list.txt": "file 0600 0:0 list",
        "/tool/marker": "file 0644 0:0 tool",
        "/ctx/f": "file 0644 0:0 api",
      };
      const found = Object.keys(wanted).map((path) => [path, files[path]]);
      assertEquals(Object.fromEntries(found), wanted);
      assertEquals(files["/git/.git"], undefined);
    });
    await t.step(`${engine}: what is pinned stays what it was`, async () => {
      await using store = await containers();
      inEnvironmentOf(project, store, docker);
      assertEquals((await project.images("pin")).code, 0);
      const before = imageOf(await project.json(["build", "app"]), "app");
      server.serve("/list.txt", "LATER");
      await publishTool(registry.host, "LATER");
      await repository.commit({ "f": "LATER", "api/f": "LATER" });
      const again = ["build", "app", "--force", "--pull", "--engine", engine];
      const after = imageOf(await project.json(again), "app");
      assertEquals(after.key, before.key);
      const { "/all": all } = await filesIn(project, "app");
      assertEquals(all, "file 0644 0:0 listlistoddgitlisttoolapi");
      await Deno.remove(project.path("images.lock"));
      server.serve("/list.txt", "list");
      await publishTool(registry.host, "tool");
      await repository.commit({ "f": "git", "api/f": "api" });
    });
  }
});

toolTest(TOOLS, "engines take an image of an OCI layout", async (t) => {
  await using docker = await startDocker();
  await using project = await engineProject({}, docker);
  project.write({ "Dockerfile": "FROM start\nRUN echo made > /made\n" });
  project.define(`{ images: { ${BASE_ENTRY} } }`);
  await project.json(["build", "base"]);
  await project.images("export", "base", "--to", `oci:${project.path("out")}`);
  define(project, { start: "oci-layout://out" });
  for (const engine of ENGINES) {
    await t.step(engine, async () => {
      await using store = await containers();
      inEnvironmentOf(project, store, docker);
      await project.json(["build", "app", "--force", "--engine", engine]);
      assertEquals((await filesIn(project, "app"))["/made"], "file 0644 0:0 made\n");
    });
  }
});

toolTest(TOOLS, "no engine fetches what only a base names", async (t) => {
  await using server = new WebServer();
  server.serve("/x", "x");
  await using project = await engineProject({});
  await using store = await containers();
  inEnvironmentOf(project, store);
  const cases: [string, string, string, RegExp][] = [
    ["by its environment", `ENV PLACE=${server.url("/x")}`, "ADD $PLACE /x", /neither ARG nor ENV/],
    ["by ONBUILD", `ONBUILD ADD ${server.url("/x")} /x`, "ENV A=1", /base's ONBUILD adds/],
    [
      "an image by ONBUILD",
      "ONBUILD COPY --from=127.0.0.1:1/some/image /x /x",
      "ENV A=1",
      /base's ONBUILD reads 127.0.0.1:1\/some\/image:latest/,
    ],
  ];
  for (const [name, line, own, message] of cases) {
    for (const engine of ["buildah", "native"]) {
      if (name === "an image by ONBUILD" && engine === "native") continue;
      await t.step(`${name}, ${engine}`, async () => {
        const run = engine === "native" ? "" : "RUN true\n";
        project.write({
          "from.Dockerfile": `FROM base\n${line}\n`,
          "Dockerfile": `FROM from\n${own}\n${run}`,
        });
        project.define(`{ images: { ${BASE_ENTRY},
          from: dockerfile({ file: "from.Dockerfile", contexts: { base: { image: "base" } } }),
          app: dockerfile({ contexts: { from: { image: "from" } }, engine: "${engine}" }) } }`);
        const { code, stderr } = await project.images("build", "app");
        assertMatch(stderr, message);
        assert(code !== 0);
        assertEquals(server.take(), []);
      });
    }
  }
});

toolTest(TOOLS, "what cannot be handed over is said with its line", async (t) => {
  await using server = new WebServer();
  await using project = await engineProject({ "local": "" });
  server.serve("/a.tar", "a");
  define(project, {});
  await using store = await containers();
  inEnvironmentOf(project, store);
  const cases: [string, string, RegExp][] = [
    ["mixed", `ADD ${server.url("/a.tar")} local /d/`, /Dockerfile:2[^]*an ADD of its own/],
    ["--unpack", `ADD --unpack=true ${server.url("/a.tar")} /d/`, /Dockerfile:2[^]*--unpack/],
    ["gone", `ADD ${server.url("/gone")} /d/`, /There is nothing at/],
  ];
  for (const [name, line, message] of cases) {
    await t.step(name, async () => {
      project.write({ "Dockerfile": `FROM base\n${line}\nRUN true\n` });
      const { code, stderr } = await project.images("build", "app", "--engine", "buildah");
      assert(code !== 0);
      assertMatch(stderr, message);
    });
  }
});
