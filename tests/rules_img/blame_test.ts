/** Whose fault it was, where Bazel's words name another target or none. */

import { assertEquals, assertMatch } from "@std/assert";
import { toolTest } from "../support/tools.ts";
import { bazelProject, STUBS } from "./rig.ts";

/** Targets that cannot be looked at, or whose actions fail without their label in Bazel's words. */
const FILES = {
  "odd/defs.bzl": `
def _refuses(ctx):
    fail("my reason")

refuses = rule(implementation = _refuses)

def _tooled(ctx):
    return []

tooled = rule(implementation = _tooled, toolchains = ["//odd:unregistered"])

def _fails(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    command = "echo first of %s >&2; echo last of %s >&2; exit 4" % (ctx.label.name, ctx.label.name)
    ctx.actions.run_shell(command = command, outputs = [out])
    return [DefaultInfo(files = depset([out]))]

fails = rule(implementation = _fails)
`,
  "odd/BUILD": `
load("//bazel:img.bzl", "image_layer", "image_manifest")
load(":defs.bzl", "fails", "refuses", "tooled")

toolchain_type(name = "unregistered")
refuses(name = "refuses")
tooled(name = "tooled")
fails(name = "one")
fails(name = "two")
[
    (
        image_layer(name = name + "_layer", srcs = {src: "/x"}),
        image_manifest(name = name + "_image", layers = [name + "_layer"]),
    )
    for name, src in {
        "refuses": ":refuses",
        "tooled": ":tooled",
        "hidden": "//odd/hidden",
        "one": ":one",
        "two": ":two",
    }.items()
]
`,
  "odd/hidden/BUILD": 'filegroup(name = "hidden")\n',
};

const NAMES = ["refuses", "tooled", "hidden", "one", "two"];

toolTest(["bazel", "node"], "each image is told its own of what failed below it", async (t) => {
  await using rig = await bazelProject(`{
    images: each(${JSON.stringify(NAMES)}, (name) =>
      rulesImg({ target: "//odd:" + name + "_image" })),
  }`);
  const { project } = rig;
  project.write({ ...STUBS.files, ...FILES, WORKSPACE: STUBS.workspace });
  const { code, stderr } = await project.images("build", "--keep-going");
  assertEquals(code, 1);

  await t.step("with the place where it stands, and why", () => {
    assertMatch(
      stderr,
      /odd\/BUILD:6:8: in refuses rule \/\/odd:refuses: Error in fail: my reason/,
    );
    assertMatch(stderr, /odd\/BUILD:12:20: .*'\/\/odd\/hidden:hidden' is not visible/);
    assertMatch(stderr, /no matching toolchains found for types \/\/odd:unregistered/);
    assertMatch(stderr, /next: register a toolchain of this type/);
    assertEquals(/ANALYSIS_FAILURE|failed .*Traceback/.test(stderr), false);
  });

  await t.step("with what its action printed, once", () => {
    for (const name of ["one", "two"]) {
      const log = Deno.readTextFileSync(project.path(`.images/logs/${name}.log`));
      for (const word of ["first", "last"]) {
        assertEquals(log.split("\n").filter((line) => line === `${word} of ${name}`).length, 1);
      }
    }
  });
});
