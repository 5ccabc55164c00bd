/** What goes into an image by ways that no edge of a query shows. */

import { assertEquals } from "@std/assert";
import { imageOf } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";
import { FILES, flavor, globbing, LINKS, NAMES } from "./reach_files.ts";
import { bazelProject } from "./rig.ts";

const IMAGES = (outside: string) =>
  `{
  images: {
    ...each(${JSON.stringify(NAMES.filter((name) => name !== "chosen"))}, (name) =>
      rulesImg({ target: "//probe:" + name })),
    chosen: rulesImg({ target: "//probe:chosen", config: "ci" }),
    platform: rulesImg({ target: "//probe:dotted", args: ["--platforms=//pm:platform"] }),
    spaced: rulesImg({
      target: "//probe:chosen",
      args: ["--override_repository", "chosen=${outside}/spaced"],
    }),
  },
}`;

toolTest(["bazel", "node"], "what no edge leads to", async (t) => {
  await using rig = await bazelProject("{}");
  const { project } = rig;
  const outside = project.beside("").replace(/\/$/, "");
  project.define(IMAGES(outside));
  project.write(FILES(outside));
  for (
    const name of ["../absolute", "../dotted", "../named", "chosen", "../override", "../spaced"]
  ) {
    project.write({
      [`${name}/WORKSPACE`]: "",
      [`${name}/BUILD`]: globbing("*.txt"),
      [`${name}/a.txt`]: name,
    });
  }
  project.write({ "../beyond/a.txt": "a" });
  project.write({ "tools/status.sh": "#!/bin/sh\n" }, 0o755);
  for (const [path, target] of Object.entries(LINKS)) {
    Deno.removeSync(project.path(path), { recursive: true });
    Deno.symlinkSync(target, project.path(path));
  }

  const keys = async (...names: string[]) => {
    const { images } = await project.json(["plan", ...names]);
    return new Map(images.map(({ name, key }) => [name, key]));
  };
  await t.step("an image has one key, whatever is asked for with it", async () => {
    const all = await keys();
    project.env.IMAGES_STATE_DIR = project.beside("state");
    assertEquals((await keys("absolute")).get("absolute"), all.get("absolute"));
    delete project.env.IMAGES_STATE_DIR;
  });

  await t.step("all that goes in is watched", async () => {
    const first = await project.json(["build"]);
    assertEquals(first.totals, { built: NAMES.length + 2 });
    project.write({
      "../absolute/a.txt": "new",
      "../dotted/a.txt": "new",
      "../named/a.txt": "new",
      "../override/a.txt": "new",
      "../spaced/a.txt": "new",
      "../beyond/a.txt": "new",
      "third_party/mirror/d/b.txt": "added",
      "tc/a.txt": "new",
      "other/f.txt": "new",
      "made/defs.bzl": `${Deno.readTextFileSync(project.path("made/defs.bzl"))}# more\n`,
      "flavor/BUILD": flavor("sweet"),
      "shared/b.txt": "added",
      "bn/bazel-setup.md": "added",
    });
    const document = await project.json(["plan"]);
    const why = (name: string) => {
      const reasons = imageOf(document, name).reasons.map(({ kind, path }) => `${kind} ${path}`);
      // The toolchain is every image's.
      return reasons.filter((reason) => reason !== "input-changed tc/a.txt");
    };
    assertEquals(Object.fromEntries(document.images.map(({ name }) => [name, why(name)])), {
      absolute: ["input-changed ../absolute/a.txt"],
      dotted: ["input-changed ../dotted/a.txt"],
      named: ["input-changed ../named/a.txt"],
      chosen: ["input-changed ../override/a.txt"],
      spaced: ["input-changed ../spaced/a.txt"],
      platform: ["input-changed ../dotted/a.txt"],
      mirror: ["input-added third_party/mirror/d/b.txt"],
      beyond: ["input-changed ../beyond/a.txt"],
      made: ["input-changed made/defs.bzl"],
      toolchain: [],
      label: ["input-changed other/f.txt"],
      moved: ["input-changed flavor/BUILD"],
      linked: ["input-added shared/b.txt"],
      prefixed: ["input-added bn/bazel-setup.md"],
    });
    const { reasons } = imageOf(document, "toolchain");
    assertEquals(reasons.map(({ path }) => path), ["tc/a.txt"]);
  });

  await t.step("so is what the top folder says, and what is linked and named there", async () => {
    project.write({
      "tools/real.bazelrc": `${Deno.readTextFileSync(project.path(".bazelrc"))}# more\n`,
      "tools/relative.bazelrc": "# more\n",
      "../common.bazelrc": "# more\n",
      "tools/W": `${Deno.readTextFileSync(project.path("WORKSPACE"))}# more\n`,
      "tools/build_rules/prelude_bazel": 'load("//tools:prelude.bzl", "nothing") # more\n',
      "tools/prelude.bzl": "nothing = 2\n",
      "tools/status.sh": "#!/bin/sh\n# more\n",
      platform_mappings: "# more\n",
    });
    const { reasons } = imageOf(await project.json(["plan", "prefixed"]), "prefixed");
    assertEquals(reasons.map(({ path }) => path), [
      "../common.bazelrc",
      "bn/bazel-setup.md",
      "platform_mappings",
      "tc/a.txt",
      "tools/W",
      "tools/build_rules/prelude_bazel",
      "tools/prelude.bzl",
      "tools/real.bazelrc",
      "tools/relative.bazelrc",
      "tools/status.sh",
    ]);
  });
});
