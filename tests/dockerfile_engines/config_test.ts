/** The config and history of an image are the same by whichever engine, and as without one. */

import { assertEquals } from "@std/assert";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { toolTest } from "../support/tools.ts";
import { BASE_ENTRY, engineProject, imageIn, TOOLS } from "./rig.ts";

/** What engines write in ways of their own. */
const INSTRUCTIONS = `ARG PORTS=8000-8002
FROM base AS first
ENV LATER=1 PATH=/bin
LABEL of="the stage"
ENTRYPOINT ["/first"]
CMD ["old"]
ONBUILD ENV TRIGGERED=yes
FROM first
ARG PORTS
ARG HIDDEN
ENV PATH=/usr/bin:$PATH A=1
ENV A=2 B="two words" C=\\"
EXPOSE $PORTS/udp 80/TCP 53
SHELL ["/bin/sh", "-e", "-c"]
CMD run me
USER 3:4
WORKDIR deep/er
VOLUME /v /w
STOPSIGNAL 9
HEALTHCHECK --interval=5s --retries=2 CMD true
MAINTAINER somebody
COPY --chown=1 text /text
LABEL of="the image" b=$A
`;

toolTest(TOOLS, "config and history are the same by every engine", async (t) => {
  await using store = await containers();
  await using docker = await startDocker();
  await using project = await engineProject(
    {
      "native/Dockerfile": INSTRUCTIONS,
      "native/text": "text",
      "engine/Dockerfile": `${INSTRUCTIONS}RUN test $A && true\n`,
      "engine/text": "text",
      "scratch/Dockerfile": 'FROM scratch\nCOPY --from=base / /\nRUN ["/bin/sh", "-c", "true"]\n',
    },
    store,
    docker,
  );
  const recipe = (name: string) =>
    `${name}: dockerfile({ context: "${name}", network: "host", hostEnv: ["HIDDEN"],
      labels: { own: "label" }, contexts: { base: { image: "base" } } })`;
  project.env["HIDDEN"] = "hidden-value";
  project.define(
    `{ images: { ${BASE_ENTRY}, ${recipe("native")}, ${recipe("engine")}, ${recipe("scratch")} } }`,
  );
  const told = (name: string) => {
    const { config: { config, history = [], author } } = imageIn(project, name);
    return { config, author, lines: history.map((line) => line.created_by) };
  };
  await project.json(["build", "native"]);
  const native = told("native");
  assertEquals(native.config?.Env, [
    "PATH=/usr/bin:/bin",
    "LATER=1",
    "TRIGGERED=yes",
    "A=2",
    "B=two words",
    'C="',
  ]);
  const scratch: unknown[] = [];
  for (const engine of ["docker", "podman", "buildah", "classic"]) {
    await t.step(engine, async () => {
      if (engine === "classic") {
        project.env["DOCKER_CONFIG"] = project.beside("no-plugins");
        Deno.mkdirSync(project.env["DOCKER_CONFIG"]!);
      }
      const name = engine === "classic" ? "docker" : engine;
      await project.json(["build", "engine", "scratch", "--force", "--engine", name]);
      const { lines, ...own } = told("engine");
      assertEquals(own, { config: native.config, author: native.author });
      assertEquals(lines, [...native.lines, "RUN /bin/sh -e -c test $A && true"]);
      scratch.push(told("scratch"));
      assertEquals(scratch.at(-1), scratch[0]);
    });
  }
});
