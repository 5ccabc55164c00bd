/** What real engines make of Dockerfiles on a small base that is built here. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { OpenableLayer } from "../../lib/model/image.ts";
import { readTar } from "../../lib/oci/tar_read.ts";
import { filesOf } from "../dockerfile/files_of.ts";
import { imageOf } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { commandLines, Inspection } from "./inspection.ts";
import { BASE_ENTRY, engineProject, ENGINES, imageIn, inEnvironmentOf, TOOLS } from "./rig.ts";

const SECRET = "correct-horse-battery-staple";
const TOKEN = "value-of-a-host-variable";

/** Most of what all three engines know. */
const DOCKERFILE = `ARG TOOLS=base
FROM missing.example/unused AS never
RUN exit 1

FROM \${TOOLS} AS tools
WORKDIR /work
COPY src/ ./
RUN date > now && cp input result

FROM base
ARG TOKEN
ARG FLAVOUR=plain
ARG PORT
ENV FLAVOUR=$FLAVOUR
COPY --from=1 /work/result /copied
COPY --from=data /hello /data/
COPY rootfs/ /
RUN --mount=type=secret,id=key \\
    --mount=type=bind,source=src,target=/src \\
    --mount=type=bind,from=tools,source=/work,target=/tools \\
    --mount=type=cache,target=/cache \\
    echo "hidden $(cat /run/secrets/key)" && test "\${#TOKEN}" = ${TOKEN.length} && \\
    wc -c < /run/secrets/key > /size && cp /src/input /bound && cp /tools/result /of-tools && \\
    nc 127.0.0.1 $PORT < /dev/null && touch /cache/kept && ln /bound /linked && rm /copied && chmod 4755 /bound && chmod 1777 /run
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=5s CMD ["/bin/true"]
ONBUILD ENV LATER=1
`;

const FILES = {
  "/bound": "file 4755 0:0 input\n",
  "/data": "folder 0755 0:0",
  "/data/hello": "file 0644 0:0 hello\n",
  "/linked": "file 4755 0:0 input\n",
  "/of-tools": "file 0644 0:0 input\n",
  "/proc": "folder 0755 0:0",
  "/run": "folder 1777 0:0",
  "/size": "file 0644 0:0 29\n",
};

const CREATED = 1_000_000_000;

toolTest(
  TOOLS,
  "real engines build the same from a Dockerfile, and again from nothing",
  async (t) => {
    const commands: string[] = [];
    using inspection = new Inspection(() => void commands.push(...commandLines()));
    await using docker = await startDocker();
    await using project = await engineProject({
      "app/Dockerfile": DOCKERFILE,
      "app/src/input": "input\n",

      "data/hello": "hello\n",
      "key.txt": `${SECRET}\n`,
    }, docker);
    for (const name of ["proc", "run"]) {
      Deno.mkdirSync(project.path(`app/rootfs/${name}`), { recursive: true });
    }
    project.env["TOKEN"] = TOKEN;
    project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({
    context: "app", network: "host", secrets: ["id=key,src=key.txt"], hostEnv: ["TOKEN"],
    args: { FLAVOUR: "sweet", UNUSED: "1", PORT: "${inspection.port}" }, contexts: { base: { image: "base" }, data: "data" },
    labels: { made: "here" }, created: ${CREATED},
  }) } }`);
    const build = async (engine: string) =>
      imageOf(await project.json(["build", "app", "--force", "--engine", engine]), "app").digest;

    const digests = new Map<string, string | undefined>();
    for (const engine of ENGINES) {
      await t.step(engine, async () => {
        await using store = await containers();
        inEnvironmentOf(project, store, docker);
        const digest = await build(engine);
        digests.set(engine, digest);
        assert(commands.some((line) => line.split("\0")[0]!.endsWith(`/${engine}`)));
        assert(!commands.some((line) => line.includes(SECRET) || line.includes(TOKEN)));
        commands.length = 0;
        const { layers, config: { config, history = [], created } } = imageIn(project, "app");
        const base = imageIn(project, "base");
        const own = layers.slice(base.layers.length);
        assertEquals(await filesOf(own, { texts: true }), FILES);
        for (const layer of own) assertEquals(layer.descriptor.mediaType.endsWith(".tar"), true);
        const { Env, Cmd, Shell, Healthcheck, OnBuild, Labels } = config ?? {};
        assertEquals({ Env, Cmd, Shell, Healthcheck, OnBuild, Labels }, {
          Env: ["PATH=/bin", "FLAVOUR=sweet"],
          Cmd: ["/bin/sh"],
          Shell: ["/bin/sh", "-ec"],
          Healthcheck: { Test: ["CMD", "/bin/true"], Interval: 5_000_000_000 },
          OnBuild: ["ENV LATER=1"],
          Labels: { made: "here" },
        });
        const known = base.config.history ?? [];
        assertEquals(history.slice(0, known.length), known);
        for (const time of [created, ...history.slice(known.length).map((it) => it.created)]) {
          assertEquals(time, "2001-09-09T01:46:40Z");
        }
        await assertTimes(own);
        if (engine !== "docker") return;
        await runTool(["docker", "buildx", "prune", "--all", "--force"], docker);
        assertEquals(await build(engine), digest);
      });
      await t.step(`${engine} leaves secrets nowhere`, () => {
        for (const [path, text] of textsBelow(project.path(".images"))) {
          for (const hidden of [SECRET, TOKEN]) {
            assert(!text.includes(hidden), `${path} holds ${hidden}`);
          }
        }
        assertMatch(Deno.readTextFileSync(project.path(".images/logs/app.log")), /hidden \*\*\*/);
      });
    }
    await t.step("podman and buildah make the same of it, each in a store of its own", () => {
      assertEquals(digests.get("buildah"), digests.get("podman"));
    });
  },
);

/** No file has a time after `created`. */
async function assertTimes(layers: readonly OpenableLayer[]): Promise<void> {
  for (const layer of layers) {
    for await (const { path, mtime } of readTar(await layer.open())) {
      assert(mtime <= CREATED, `${path} has the time ${mtime}`);
    }
  }
}

/** Files below a folder with their bytes as text. */
function* textsBelow(folder: string): Iterable<[string, string]> {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* textsBelow(path);
    if (isFile) yield [path, new TextDecoder("latin1").decode(Deno.readFileSync(path))];
  }
}
