/** An engine's own layer cache is never weaker than the key: what changed is built again. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { filesOf } from "../dockerfile/files_of.ts";
import { imageOf, type TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { toolTest } from "../support/tools.ts";
import { BASE_ENTRY, engineProject, imageIn, TOOLS } from "./rig.ts";

/** A Dockerfile whose /out holds what one edit changes. */
interface Case {
  readonly dockerfile: string;
  /** Options of the recipe besides the context, before and after the edit. */
  readonly options?: readonly [string, string];
  readonly edit?: (project: TestProject, context: string) => void;
  /** Line of /out after the edit, as `filesOf` writes it. */
  readonly after: string;
  /** Docker without BuildKit does not know it. */
  readonly buildKit?: true;
}

const stew = (file: string) => (project: TestProject, context: string) =>
  project.write({ [`${context}/${file}`]: "stew" });

const CASES: Readonly<Record<string, Case>> = {
  "a file of the context in a mount": {
    dockerfile: "FROM base\nRUN --mount=type=bind,source=today,target=/in cat /in > /out",
    edit: stew("today"),
    after: "file 0644 0:0 stew",
    buildKit: true,
  },
  "a file behind a link in a mount": {
    dockerfile: "FROM base\nRUN --mount=source=link,target=/in cat /in > /out",
    edit: stew("today"),
    after: "file 0644 0:0 stew",
    buildKit: true,
  },
  "the name of a file in a mount of the whole context": {
    dockerfile: "FROM base\nRUN --mount=target=/in cd /in && ls more > /out",
    edit: (project, context) => {
      Deno.removeSync(project.path(`${context}/more/soup`));
      project.write({ [`${context}/more/stew`]: "soup" });
    },
    after: "file 0644 0:0 same\nstew\n",
    buildKit: true,
  },
  "the executable bit of a file in a mount": {
    dockerfile:
      "FROM base\nRUN --mount=source=more,target=/in if [ -x /in/soup ]; then printf yes > /out; fi",
    edit: (project, context) => Deno.chmodSync(project.path(`${context}/more/soup`), 0o755),
    after: "file 0644 0:0 yes",
    buildKit: true,
  },
  "a stage in a mount": {
    dockerfile: "FROM base AS kitchen\nCOPY today /pot\nFROM base\n" +
      "RUN --mount=from=kitchen,source=/pot,target=/in cat /in > /out",
    edit: stew("today"),
    after: "file 0644 0:0 stew",
    buildKit: true,
  },
  "a stage on a stage in a mount": {
    dockerfile: "FROM base AS kitchen\nCOPY today /pot\nFROM kitchen AS hall\nRUN true\n" +
      "FROM base\nRUN --mount=from=hall,target=/in cat /in/pot > /out",
    edit: stew("today"),
    after: "file 0644 0:0 stew",
    buildKit: true,
  },
  "a named folder in a mount": {
    dockerfile: "FROM base\nRUN --mount=from=recipes,target=/in cat /in/today > /out",
    options: ['contexts: { ...base, recipes: "recipes" }', 'contexts: { ...base, recipes: "new" }'],
    after: "file 0644 0:0 stew",
    buildKit: true,
  },
  "an image of the graph in a mount": {
    dockerfile: "FROM base\nRUN --mount=from=dish,target=/in cat /in/today > /out",
    options: [
      'contexts: { ...base, dish: { image: "soup" } }',
      'contexts: { ...base, dish: { image: "stew" } }',
    ],
    after: "file 0644 0:0 stew",
    buildKit: true,
  },
  "the base's environment": {
    dockerfile: "FROM dish\nRUN printf $DISH > /out",
    options: [
      'contexts: { dish: { image: "soup-env" } }',
      'contexts: { dish: { image: "stew-env" } }',
    ],
    after: "file 0644 0:0 stew",
  },
  "a value that ENV takes from ARG": {
    dockerfile: "FROM base\nARG DISH\nENV FOOD=$DISH\nRUN printf $FOOD > /out",
    options: ['args: { DISH: "soup" }', 'args: { DISH: "stew" }'],
    after: "file 0644 0:0 stew",
  },
  "a host variable that ENV takes from ARG": {
    dockerfile: "FROM base\nARG DISH\nENV FOOD=$DISH\nRUN printf $FOOD > /out",
    options: ['hostEnv: ["DISH"]', 'hostEnv: ["DISH"]'],
    edit: (project) => project.env["DISH"] = "stew",
    after: "file 0644 0:0 stew",
  },
  "a working folder's name": {
    dockerfile: "FROM base\nARG DISH\nWORKDIR /$DISH\nRUN pwd > /out",
    options: ['args: { DISH: "soup" }', 'args: { DISH: "stew" }'],
    after: "file 0644 0:0 /stew\n",
  },
  "the name of a copied file": {
    dockerfile: "FROM base\nARG DISH=soup\nCOPY more/$DISH /d/\nRUN ls /d > /out",
    options: ['args: { DISH: "soup" }', 'args: { DISH: "same" }'],
    after: "file 0644 0:0 same\n",
  },
  "the mode of a copied file": {
    dockerfile: "FROM base\nCOPY today /out\nRUN true",
    edit: (project, context) => Deno.chmodSync(project.path(`${context}/today`), 0o755),
    after: "file 0755 0:0 soup",
  },
  "--chown": {
    dockerfile: "FROM base\nARG USER=1\nCOPY --chown=1 today /out\nRUN true",
    edit: (project, context) =>
      project.write({
        [`${context}/Dockerfile`]: "FROM base\nARG USER=1\nCOPY --chown=2 today /out\nRUN true",
      }),
    after: "file 0644 2:2 soup",
  },
  "--chmod": {
    dockerfile: "FROM base\nCOPY --chmod=600 today /out\nRUN true",
    edit: (project, context) =>
      project.write({
        [`${context}/Dockerfile`]: "FROM base\nCOPY --chmod=640 today /out\nRUN true",
      }),
    after: "file 0640 0:0 soup",
    buildKit: true,
  },
  "what ONBUILD of a base mounts": {
    dockerfile: "FROM trigger\n",
    options: [
      'contexts: { trigger: { image: "trigger" } }, inputs: ["CONTEXT/today"]',
      'contexts: { trigger: { image: "trigger" } }, inputs: ["CONTEXT/today"]',
    ],
    edit: stew("today"),
    after: "file 0644 0:0 stew",
    buildKit: true,
  },
  "what ONBUILD of a stage mounts": {
    dockerfile: "FROM base AS t\nONBUILD RUN --mount=source=today,target=/in cat /in > /out\n" +
      "FROM t\n",
    edit: stew("today"),
    after: "file 0644 0:0 stew",
    buildKit: true,
  },
};

toolTest(TOOLS, "what changes is built again, whatever an engine keeps", async (t) => {
  await using store = await containers();
  await using docker = await startDocker();
  for (const engine of ["buildah", "podman", "docker", "classic"]) {
    // podman builds with buildah's code: a few are enough to see that it is told the same.
    const cases = Object.entries(CASES).slice(0, engine === "podman" ? 5 : Infinity)
      .filter(([, { buildKit }]) => engine !== "classic" || buildKit === undefined)
      .map(([what, it], at) => ({ what, name: `case-${at}`, ...it }));
    await using project = await engineProject(
      {
        "recipes/today": "soup",
        "new/today": "stew",
        "trigger/Dockerfile":
          "FROM base\nONBUILD RUN --mount=source=today,target=/in cat /in > /out\n",
        "soup/Dockerfile": "FROM scratch\nCOPY Dockerfile today /\n",
        "soup/today": "soup",
        "stew/Dockerfile": "FROM scratch\nCOPY Dockerfile today /\n",
        "stew/today": "stew",
      },
      store,
      docker,
    );
    if (engine === "classic") {
      project.env["DOCKER_CONFIG"] = project.beside("no-plugins");
      Deno.mkdirSync(project.env["DOCKER_CONFIG"]!);
    }
    project.env["DISH"] = "soup";
    for (const { name, dockerfile } of cases) {
      project.write({
        [`${name}/Dockerfile`]: `${dockerfile}\n`,
        [`${name}/today`]: "soup",
        [`${name}/more/soup`]: "soup",
        [`${name}/more/same`]: "soup",
      });
      Deno.symlinkSync("today", project.path(`${name}/link`));
    }
    const define = (state: 0 | 1) => {
      const recipes = cases.map(({ name, options }) => {
        const own = options?.[state].replaceAll("CONTEXT", name) ?? "";
        const contexts = own.includes("contexts:") ? "" : "contexts: base,";
        return `"${name}": dockerfile({ context: "${name}", network: "host", ${contexts} ${own} })`;
      });
      const dish = (name: string) =>
        `${name}: dockerfile({ context: "${name}" }), "${name}-env": dockerfile({ context: "env",
           contexts: { base: { image: "base" } }, args: { DISH: "${name}" } })`;
      project.write({ "env/Dockerfile": "FROM base\nARG DISH\nENV DISH=$DISH\n" });
      project.define(
        `{ images: { ${BASE_ENTRY}, ${dish("soup")}, ${dish("stew")},
        trigger: dockerfile({ context: "trigger", contexts: { base: { image: "base" } } }),
        ${recipes.join(",\n")} } }`.replaceAll("contexts: base", "contexts: { ...base }")
          .replaceAll("...base", 'base: { image: "base" }'),
      );
    };
    const build = () =>
      project.json(["build", "--all", "--engine", engine === "classic" ? "docker" : engine]);
    define(0);
    await build();
    for (const { name, edit } of cases) edit?.(project, name);
    define(1);
    const document = await build();
    for (const { what, name, after } of cases) {
      await t.step(`${engine}: ${what}`, async () => {
        assertEquals(imageOf(document, name).status, "built");
        const image = imageIn(project, name);
        assertEquals((await filesOf(image.layers, { texts: true }))["/out"], after);
        assertEquals(JSON.stringify(image.config).includes("dev.images"), false);
      });
    }
  }
});

const CLOCK = "cat /proc/sys/kernel/random/uuid";

toolTest(
  TOOLS,
  "an unchanged beginning is taken from the engine's cache, and nothing with --force",
  async (t) => {
    await using store = await containers();
    await using docker = await startDocker();
    for (const engine of ["buildah", "podman", "docker"]) {
      await t.step(engine, async () => {
        await using project = await engineProject(
          {
            "app/Dockerfile": `FROM base\nCOPY first /\n` +
              `RUN --mount=source=first,target=/in ${CLOCK} > /one\n` +
              `COPY second /\nRUN --mount=source=second,target=/in ${CLOCK} > /two\n`,
            "app/first": "1",
            "app/second": "2",
          },
          store,
          docker,
        );
        project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({ context: "app",
          network: "host", contexts: { base: { image: "base" } } }) } }`);
        const build = async (...args: string[]) => {
          const document = await project.json(["build", "app", "--engine", engine, ...args]);
          assertEquals(imageOf(document, "app").status, "built");
          const files = await filesOf(imageIn(project, "app").layers, { texts: true });
          return [files["/one"], files["/two"]];
        };
        const [one, two] = await build();
        project.write({ "app/second": "3" });
        const [sameOne, otherTwo] = await build();
        assertEquals(sameOne, one);
        assertNotEquals(otherTwo, two);
        const forced = await build("--force");
        assert(forced[0] !== one && forced[1] !== otherTwo);
      });
    }
  },
);
