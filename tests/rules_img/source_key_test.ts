/** Bazel images that are found by their sources: without Bazel, and without starting it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { imageOf, type TestProject } from "../support/project.ts";
import { commitAll } from "../support/real/fixture.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf } from "../publish/rig.ts";
import { bazelProject } from "./rig.ts";

const images = (host: string) =>
  `{
    registries: { here: registry("${host}/flywheel") },
    tasks: { unneeded: task({ outputs: ["app/src/routes/made/**"], run: ["true"] }) },
    images: { app: rulesImg({ target: "//app:image" }) },
  }`;

async function withoutBazel(project: TestProject): Promise<void> {
  const folder = project.beside("without-bazel");
  Deno.mkdirSync(folder, { recursive: true });
  for (const name of ["git", "sh"]) {
    const { stdout } = await runTool(["sh", "-c", `command -v ${name}`]);
    Deno.symlinkSync(stdout.trim(), `${folder}/${name}`);
  }
  project.env.PATH = folder;
}

toolTest(
  ["bazel", "node", "git", "docker-registry"],
  "an image is found by its repository's files",
  async (t) => {
    await using registry = await startLoopbackRegistry();
    await using rig = await bazelProject(images(registry.host));
    const { project } = rig;
    project.write({ ".gitignore": "/.images\n/ignored\n" });
    await commitAll(project.root);
    const first = imageOf(await project.json(["push", "--all"]), "app");
    rig.started();

    await t.step("on a fresh runner, without starting Bazel", async () => {
      await using clone = await cloneOf(project);
      const app = imageOf(await clone.json(["push", "--all"]), "app");
      assertEquals([app.status, app.key], ["remote", first.key]);
      assertEquals(app.destinations?.[0]?.status, "current");
      assertEquals(await clone.statuses(), { app: "cached" });
      assertEquals(rig.started(), []);
      clone.write({ "app/src/routes/index.md": "# Other\n" });
      assertEquals(await clone.statuses(), { app: "built" });
    });

    await t.step("where there is no Bazel", async () => {
      await using clone = await cloneOf(project);
      await withoutBazel(clone);
      assertEquals(await clone.statuses("app"), { app: "remote" });
      clone.write({ "app/src/routes/new.md": "# New\n" });
      const { status, error } = imageOf(await clone.json(["build", "app"], 3), "app");
      assertEquals(status, "unavailable");
      assertStringIncludes(error!.message, `${registry.host} holds no source-`);
    });

    await t.step("but not with another value of a variable that actions see", async () => {
      project.write({ ".bazelrc": "build --action_env=MODE\n" });
      await commitAll(project.root);
      await project.json(["push", "--all"]);
      await using clone = await cloneOf(project);
      await withoutBazel(clone);
      clone.env.MODE = "other";
      assertEquals(imageOf(await clone.json(["build", "app"], 3), "app").status, "unavailable");
      delete clone.env.MODE;
      assertEquals(await clone.statuses("app"), { app: "remote" });
    });

    await t.step("nor where a glob takes files that are left out elsewhere", async () => {
      // What Bazel links itself is no source; what is called alike, or made by other tasks, may be.
      for (const name of ["bazel-notes.md", "bazel-notes/a.md", "made/a.md"]) {
        await using clone = await cloneOf(project);
        await withoutBazel(clone);
        Deno.symlinkSync("/nowhere", clone.path("bazel-bin"));
        clone.write({ [`app/src/routes/${name}`]: "# Other\n" });
        assertEquals(imageOf(await clone.json(["build", "app"], 3), "app").status, "unavailable");
        await runTool(["rm", "-r", clone.path(`app/src/routes/${name.split("/")[0]}`)]);
        assertEquals(await clone.statuses("app"), { app: "remote" });
      }
    });

    await t.step("nor if a file went in that no clone has", async () => {
      project.write({ "app/src/routes/untracked.md": "# Mine\n" });
      await project.json(["push", "--all"]);
      await using clone = await cloneOf(project);
      await withoutBazel(clone);
      assertEquals(imageOf(await clone.json(["build", "app"], 3), "app").status, "unavailable");
      Deno.removeSync(clone.path("app/src/routes/untracked.md"));
      const { key } = imageOf(await clone.json(["build", "app"]), "app");
      assertEquals(key === first.key, false);
    });
  },
);
