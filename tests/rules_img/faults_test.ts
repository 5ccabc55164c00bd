/** What people are told when Bazel cannot build an image. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { type BazelProject, bazelProject } from "./rig.ts";

const MORE = `
genrule(
    name = "boom",
    outs = ["boom.txt"],
    cmd = "echo it went boom >&2; exit 3",
)

image_layer(name = "boom_layer", srcs = {":boom": "/boom"})

image_manifest(name = "boom_image", layers = [":boom_layer"])
`;

const IMAGES = `{
  images: {
    app: rulesImg({ target: "//app:image" }),
    boom: rulesImg({ target: "//app:boom_image" }),
    missing: rulesImg({ target: "//app:imgae" }),
    nowhere: rulesImg({ target: "//lonely:image" }),
    site: rulesImg({ target: "//app:site" }),
    arm: rulesImg({ target: "//app:image_arm64" }),
    flags: rulesImg({ target: "//app:image", args: ["--nonsense"] }),
    elsewhere: rulesImg({ target: "//app:image", workspace: "app" }),
  },
}`;

/** Adds text to a file of the project, and takes it away again. */
async function withText(
  { project }: BazelProject,
  path: string,
  text: string,
  run: () => Promise<void>,
): Promise<void> {
  const before = Deno.readTextFileSync(project.path(path));
  project.write({ [path]: before + text });
  try {
    await run();
  } finally {
    project.write({ [path]: before });
  }
}

/** Wakes whoever waits for the other end of a pipe. */
function letGoOf(pipe: string): void {
  Deno.openSync(pipe, { read: true, write: true }).close();
}

toolTest(["bazel", "node"], "faults of Bazel images", async (t) => {
  await using rig = await bazelProject(IMAGES);
  const { project } = rig;
  const records = () => {
    try {
      return [...Deno.readDirSync(project.path(".images/records/images"))].length;
    } catch {
      return 0;
    }
  };

  await t.step("a BUILD file that cannot be read is shown with its line", async () => {
    await withText(rig, "app/BUILD.bazel", "\nthis is (\n", async () => {
      const { code, stderr } = await project.images("build", "app");
      assertEquals(code, 1);
      assertMatch(stderr, /app\/BUILD\.bazel:79:\d+: 'is' not supported/);
      assertEquals(records(), 0);
    });
  });

  await t.step("so is a BUILD file whose rules do not fit", async () => {
    const text = 'image_manifest(name = "bad", nope = 1)\n';
    await withText(rig, "app/BUILD.bazel", text, async () => {
      const { code, stderr } = await project.images("build", "app");
      assertEquals(code, 1);
      assertMatch(stderr, /app\/BUILD\.bazel:78:\d+: \/\/app:bad: no such attribute 'nope'/);
      assertEquals(rig.started().includes("build"), false);
    });
  });

  await t.step("so is a .bzl file that cannot be read", async () => {
    await withText(rig, "bazel/site.bzl", "\ndef broken(:\n", async () => {
      const { code, stderr } = await project.images("build", "app");
      assertEquals(code, 1);
      assertMatch(stderr, /bazel\/site\.bzl:\d+:\d+: syntax error/);
    });
  });

  await t.step("each image is told its own, and the others are built", async () => {
    await withText(rig, "app/BUILD.bazel", MORE, async () => {
      const document = await project.json(["build", "--keep-going"], 1);
      const told = (name: string) => {
        const { status, error } = imageOf(document, name);
        assertEquals(status, "failed");
        return `${error?.message}; ${error?.next}`;
      };
      assertEquals(imageOf(document, "app").status, "built");
      assertMatch(
        told("boom"),
        /Genrule of \/\/app:boom failed with status 3: it went boom; see what the action printed/,
      );
      assertMatch(told("missing"), /no such target '\/\/app:imgae'.*correct the label/s);
      assertMatch(told("nowhere"), /no such package 'lonely'.*add the package's BUILD file/s);
      assertMatch(
        told("site"),
        /\/\/app:site has no image outputs in .*root_blob.*; let `target` name.*rules_oci/,
      );
      assertMatch(told("arm"), /for linux\/arm64 only, not for linux\/amd64; .*image_index/);
      assertMatch(told("flags"), /does not take its arguments: .*--nonsense.*correct `args`/s);
      assertMatch(told("elsewhere"), /no Bazel workspace here.*`workspace` in images\.ts/s);
      assertEquals(records(), 1);
      const log = Deno.readTextFileSync(imageOf(document, "boom").error!.log!);
      assertStringIncludes(log, "it went boom");
    });
  });

  /** Builds `boom` with an action that waits in the middle; does something meanwhile. */
  const interrupted = async (meanwhile: () => Promise<void>, release: boolean) => {
    const pipe = project.beside("pipe");
    await runTool(["mkfifo", pipe]);
    let released: Promise<void> | undefined;
    try {
      // Written by the action when it begins; afterwards it would read from it forever.
      const begun = Deno.readTextFile(pipe);
      const output = project.spawn("build", "boom").output();
      const early = await Promise.race([begun.then(() => undefined), output]);
      if (early !== undefined) {
        // The action never began: let go of the pipe.
        letGoOf(pipe);
        await begun;
        throw new Error(new TextDecoder().decode(early.stderr));
      }
      await meanwhile();
      // Should the action be gone by then, nobody reads it.
      if (release) released = Deno.writeTextFile(pipe, "go on").catch(() => {});
      const { code, stderr } = await output;
      return { code, stderr: new TextDecoder().decode(stderr) };
    } finally {
      letGoOf(pipe);
      await released;
      Deno.removeSync(pipe);
    }
  };
  const slow = (name: string) => `
genrule(
    name = "slow",
    outs = ["slow.txt"],
    cmd = ": ${name}; echo begun > ${project.beside("pipe")}; cat ${project.beside("pipe")} > $@",
    local = True,
)
image_layer(name = "slow_layer", srcs = {":slow": "/slow"})
image_manifest(name = "boom_image", layers = [":slow_layer", ":site_layer"])
`;

  await t.step("a file that a glob may have found meanwhile is no part of a record", async () => {
    await withText(rig, "app/BUILD.bazel", slow("late"), async () => {
      const late = () => Promise.resolve(project.write({ "app/src/routes/late.md": "# Late\n" }));
      const { code, stderr } = await interrupted(late, true);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Files that go in appeared or went while it was built");
      assertEquals(records(), 1);
    });
  });

  await t.step("a server that is killed is named, and the next run is well", async () => {
    await withText(rig, "app/BUILD.bazel", slow("killed"), async () => {
      const { code, stderr } = await interrupted(() => rig.bazel.stopServers(), false);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Bazel's server ended");
      assertEquals(records(), 1);
    });
    const { code } = await project.images("build", "app");
    assertEquals(code, 0);
  });
});

Deno.test("a machine without Bazel is told what to install", async () => {
  await using project = await TestProject.resident({ WORKSPACE: "" });
  project.define(`{ images: { app: rulesImg({ target: "//app:image" }) } }`);
  Deno.mkdirSync(project.beside("bin"));
  project.env.PATH = project.beside("bin");
  const { code, stderr } = await project.images("build", "app");
  assertEquals(code, 3);
  assertMatch(stderr, /no "bazelisk" or "bazel".*install bazelisk/s);
  const document = await project.json(["build"]);
  assertEquals(imageOf(document, "app").status, "unavailable");
});

Deno.test("a target that is no label of one target is a fault of images.ts", async () => {
  await using project = await TestProject.resident({ WORKSPACE: "" });
  project.fakeTool("bazel");
  for (const target of ["//app/...", "//app:all", "-//app:image", "//app:"]) {
    project.define(`{ images: { app: rulesImg({ target: ${JSON.stringify(target)} }) } }`);
    const { code, stderr } = await project.images("build", "app");
    assertEquals(code, 2, target);
    assertMatch(stderr, /images\.ts:4:\d+: Option "target" .*not the label of one target/);
  }
  assertEquals(project.starts("bazel"), []);
});
