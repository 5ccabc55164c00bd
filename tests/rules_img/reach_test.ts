/** What goes into an image by ways that no edge of a query shows. */

import { assertEquals } from "@std/assert";
import { imageOf } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";
import { bazelProject, STUBS } from "./rig.ts";

/** An image of one file. */
const DEFS = `
load("//bazel:img.bzl", "image_layer", "image_manifest")

def file_image(name, src):
    image_layer(name = name + "_layer", srcs = {src: "/src"})
    image_manifest(name = name, layers = [name + "_layer"], visibility = ["//visibility:public"])
`;

const TOOLCHAINS = `
def _tc(ctx):
    return [platform_common.ToolchainInfo(file = ctx.file.file)]

tc = rule(implementation = _tc, attrs = {"file": attr.label(allow_single_file = True)})

def _used(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    file = ctx.toolchains["//tc:type"].file
    ctx.actions.run_shell(
        command = "cat %s > %s" % (file.path, out.path),
        inputs = [file],
        outputs = [out],
    )
    return [DefaultInfo(files = depset([out]))]

used = rule(implementation = _used, toolchains = ["//tc:type"])
`;

/** A BUILD file with all files of a pattern. */
function globbing(pattern: string): string {
  return `filegroup(name = "files", srcs = glob(["${pattern}"]), visibility = ["//visibility:public"])`;
}

const FILES = (outside: string) => ({
  "tools/W": `
${STUBS.workspace}
load("//probe:deps.bzl", "deps")
deps()
local_repository(name = "absolute", path = "${outside}/absolute")
local_repository(name = "dotted", path = "./../dotted")
local_repository(name = "chosen", path = "chosen")
new_local_repository(name = "mirror", path = "third_party/mirror", build_file = "//third_party:mirror.BUILD")
new_local_repository(name = "beyond", path = "../beyond", build_file = "//third_party:mirror.BUILD")
register_toolchains("//tc:a")
`,
  "tools/real.bazelrc": `import tools/relative.bazelrc
import %workspace%/../common.bazelrc
build --nosandbox_debug --workspace_status_command=tools/status.sh
build --//probe:setting=//other:lib
build:ci --override_repository=chosen=${outside}/override
`,
  ...STUBS.files,
  "tools/BUILD": "",
  "tools/relative.bazelrc": "",
  "../common.bazelrc": "",
  "tools/build_rules/BUILD": "",
  "tools/build_rules/prelude_bazel": 'load("//tools:prelude.bzl", "nothing")\n',
  "tools/prelude.bzl": "nothing = 1\n",
  "probe/defs.bzl": DEFS,
  "probe/deps.bzl": `
def deps():
    native.local_repository(name = "named", path = "../na" + "med")
`,
  "probe/BUILD": `
load(":defs.bzl", "file_image")
label_flag(name = "setting", build_setting_default = ":defs.bzl")
exports_files(["defs.bzl"])
[
    file_image(name = name, src = "@%s//:files" % name)
    for name in ${JSON.stringify(REPOSITORIES)}
]
[
    file_image(name = name, src = src)
    for name, src in {"toolchain": "//tc:used", "label": ":setting", "linked": "//ln:files", "prefixed": "//bn:files"}.items()
]
`,
  "tc/defs.bzl": TOOLCHAINS,
  "tc/BUILD": `
load(":defs.bzl", "tc", "used")
toolchain_type(name = "type")
toolchain(name = "a", toolchain = ":ia", toolchain_type = ":type")
tc(name = "ia", file = "a.txt")
used(name = "used", visibility = ["//visibility:public"])
`,
  "tc/a.txt": "a",
  "pm/BUILD": 'platform(name = "platform")',
  "other/BUILD": 'filegroup(name = "lib", srcs = ["f.txt"], visibility = ["//visibility:public"])',
  "other/f.txt": "f",
  "third_party/BUILD": "",
  "third_party/mirror.BUILD": globbing("**/*.txt"),
  "third_party/mirror/d/a.txt": "a",
  "ln/link": "",
  "ln/BUILD": globbing("link/*.txt"),
  "shared/a.txt": "a",
  "bn/BUILD": globbing("*.md"),
  "bn/a.md": "a",
});

/** Links of the workspace, and what they lead to. */
const LINKS = { WORKSPACE: "tools/W", ".bazelrc": "tools/real.bazelrc", "ln/link": "../shared" };

const REPOSITORIES = ["absolute", "dotted", "named", "chosen", "mirror", "beyond"];

const NAMES = [...REPOSITORIES, "toolchain", "label", "linked", "prefixed"];

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
      toolchain: [],
      label: ["input-changed other/f.txt"],
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
