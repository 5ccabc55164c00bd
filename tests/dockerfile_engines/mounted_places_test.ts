/** What an engine mounts while it runs something gets into no image, by whichever way. */

import { assertEquals } from "@std/assert";
import { filesOf, type FileTable } from "../dockerfile/files_of.ts";
import { imageOf } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { toolTest } from "../support/tools.ts";
import { BASE_ENTRY, engineProject, imageIn, TOOLS } from "./rig.ts";

interface Case {
  readonly dockerfile: string;
  /** The files of the image but busybox. */
  readonly files: FileTable;
  /** Docker without BuildKit does not know it. */
  readonly buildKit?: true;
}

const RAN = "FROM base AS ran\nRUN echo made > /made\n";
const MADE = "file 0644 0:0 made\n";
const FOLDER = "folder 0755 0:0";
/** What `context/rootfs` holds at places that engines mount over. */
const OWN = {
  "/dev": FOLDER,
  "/etc": FOLDER,
  "/etc/hosts": "file 0644 0:0 own\n",
  "/etc/hostname": "file 0644 0:0 ",
  "/run": FOLDER,
  "/run/lock": FOLDER,
  "/sys": FOLDER,
};

const CASES: Readonly<Record<string, Case>> = {
  "all of a stage": {
    dockerfile: `${RAN}FROM scratch\nCOPY --from=ran / /\n`,
    files: { "/made": MADE },
  },
  "all of a stage, elsewhere, by its number": {
    dockerfile: `${RAN.replace(" AS ran", "")}FROM scratch\nCOPY --from=0 . /all\n`,
    files: { "/all": FOLDER, "/all/made": MADE },
  },
  "all of a stage on a stage": {
    dockerfile: `${RAN}FROM ran AS more\nRUN echo made > /more\nFROM scratch\n` +
      "COPY --chown=1:2 --from=more / /\n",
    files: { "/made": "file 0644 1:2 made\n", "/more": "file 0644 1:2 made\n" },
  },
  "all of a stage that took all of a stage": {
    dockerfile: `${RAN}FROM base AS next\nCOPY --from=ran / /\nRUN echo made > /more\n` +
      "FROM scratch\nCOPY --from=next / /\n",
    files: { "/made": MADE, "/more": MADE },
  },
  "a folder of a stage": {
    dockerfile: "FROM base AS ran\nCOPY rootfs/etc/hosts /etc/own\nRUN echo made > /etc/made\n" +
      "FROM scratch\nCOPY --from=ran /etc /etc\n",
    files: { "/etc": FOLDER, "/etc/made": MADE, "/etc/own": "file 0644 0:0 own\n" },
  },
  "a pattern in a stage": {
    dockerfile: "FROM base AS ran\nCOPY rootfs/etc/hosts /etc/own\nRUN echo made > /etc/made\n" +
      "FROM scratch\nCOPY --from=ran /et*/* /etc/\n",
    files: { "/etc": FOLDER, "/etc/made": MADE, "/etc/own": "file 0644 0:0 own\n" },
  },
  "a stage that is the image's base": {
    dockerfile: `${RAN}FROM ran AS more\nFROM more\nRUN rm /made\n`,
    files: {},
  },
  "a mounted stage": {
    dockerfile: `${RAN}FROM base AS copied\n` +
      "RUN --mount=from=ran,target=/from cp -a /from /out && rm -r /out/bin\n" +
      "FROM scratch\nCOPY --from=copied /out /out\n",
    files: { "/out": FOLDER, "/out/made": MADE },
    buildKit: true,
  },
  "a place to mount at, and those above it": {
    dockerfile: "FROM base\nRUN --mount=target=/a/b/c --mount=type=tmpfs,target=/t " +
      "--mount=type=cache,target=/e/f echo made > /made\n",
    files: { "/made": MADE },
    buildKit: true,
  },
  "what the Dockerfile itself puts there": {
    dockerfile: "FROM base AS ran\nCOPY rootfs/ /\nRUN mkdir -p /run/lock\n" +
      "FROM scratch\nCOPY --from=ran / /\n",
    files: OWN,
  },
  "what the Dockerfile itself puts there, in the image's own layers": {
    dockerfile: "FROM base\nCOPY rootfs/ /\nRUN mkdir -p /run/lock\n",
    files: OWN,
  },
};

toolTest(TOOLS, "places that engines mount at are in no image", async (t) => {
  await using store = await containers();
  await using docker = await startDocker();
  for (const engine of ["buildah", "podman", "docker", "classic"]) {
    const cases = Object.entries(CASES)
      .filter(([, { buildKit }]) => engine !== "classic" || buildKit === undefined)
      .map(([what, it], at) => ({ what, name: `case-${at}`, ...it }));
    await using project = await engineProject(
      Object.fromEntries(cases.flatMap(({ name, dockerfile }) => [
        [`${name}/Dockerfile`, dockerfile],
        [`${name}/rootfs/etc/hosts`, "own\n"],
        [`${name}/rootfs/etc/hostname`, ""],
      ])),
      store,
      docker,
    );
    if (engine === "classic") {
      project.env["DOCKER_CONFIG"] = project.beside("no-plugins");
      Deno.mkdirSync(project.env["DOCKER_CONFIG"]!);
    }
    for (const { name } of cases) {
      for (const folder of ["dev", "run", "sys"]) {
        Deno.mkdirSync(project.path(`${name}/rootfs/${folder}`));
      }
    }
    const recipes = cases.map(({ name }) =>
      `"${name}": dockerfile({ context: "${name}", network: "host",
        contexts: { base: { image: "base" } } })`
    );
    project.define(`{ images: { ${BASE_ENTRY}, ${recipes.join(", ")} } }`);
    const name = engine === "classic" ? "docker" : engine;
    const document = await project.json(["build", "--all", "--engine", name]);
    for (const { what, name, files } of cases) {
      await t.step(`${engine}: ${what}`, async () => {
        assertEquals(imageOf(document, name).status, "built");
        const all = await filesOf(imageIn(project, name).layers, { texts: true });
        const own = Object.entries(all).filter(([path]) => !/^(?:\/\w+)?\/bin(?:\/|$)/.test(path));
        assertEquals(Object.fromEntries(own), files);
      });
    }
  }
});
