/** What a RUN sees of a repository's `.git` in the folder that it mounts. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { filesOf } from "../dockerfile/files_of.ts";
import { containers } from "../support/real/containers.ts";
import { startDocker } from "../support/real/docker.ts";
import { toolTest } from "../support/tools.ts";
import { BASE_ENTRY, engineProject, ENGINES, imageIn, TOOLS } from "./rig.ts";

const NOTICE = "app/Dockerfile:2: app/.git is left out of what RUN mounts";

toolTest(TOOLS, "a mounted folder has the .git that the inputs name", async (t) => {
  await using store = await containers();
  await using docker = await startDocker();
  const git = { "app/.git/HEAD": "ref: refs/heads/main\n", "app/.git/config": "" };
  for (const engine of ENGINES) {
    await t.step(engine, async () => {
      await using project = await engineProject(
        {
          "app/Dockerfile":
            "FROM base\nRUN --mount=target=/src cd /src && ls -A > /seen && ls .git > /git || true\n" +
            "RUN --mount=source=sub,target=/src ls -A /src > /below\n",
          "app/sub/file": "",
          ...git,
        },
        store,
        docker,
      );
      const define = (options: string) =>
        project.define(`{ images: { ${BASE_ENTRY}, app: dockerfile({ context: "app",
          network: "host", contexts: { base: { image: "base" } }, ${options} }) } }`);
      const build = async () => {
        const { code, stderr } = await project.images("build", "app", "--engine", engine);
        assertEquals(code, 0);
        const files = await filesOf(imageIn(project, "app").layers, { texts: true });
        const text = (path: string) => files[path]?.split(" ").slice(3).join(" ");
        return { stderr, seen: text("/seen"), git: text("/git"), below: text("/below") };
      };
      define("");
      const without = await build();
      assertEquals(without.seen, "Dockerfile\nsub\n");
      assertStringIncludes(without.stderr, NOTICE);
      define('inputs: ["app/.git/HEAD"]');
      const one = await build();
      assertEquals([one.git, one.below], ["HEAD\n", "file\n"]);
      assertEquals(one.stderr.includes(NOTICE), false);
      define('inputs: ["app/.git/**"]');
      assertEquals((await build()).git, "HEAD\nconfig\n");
      project.write({ "app/.dockerignore": ".git\n" });
      define("");
      const hidden = await build();
      assertEquals(hidden.stderr.includes(NOTICE), false);
    });
  }
});
