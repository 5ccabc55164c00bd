/** A workspace whose images are made from more than edges of a query lead to. */

import { STUBS } from "./rig.ts";

/** An image of one file. */
const DEFS = `
load("//bazel:img.bzl", "image_layer", "image_manifest")

def file_image(name, src):
    image_layer(name = name + "_layer", srcs = {src: "/src"})
    image_manifest(name = name, layers = [name + "_layer"], visibility = ["//visibility:public"])
`;

const TRANSITION = `
def _moved(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    ctx.actions.write(out, ctx.attr._mode[0].label.name)
    return [DefaultInfo(files = depset([out]))]

def _mode(settings, attr):
    return {"//flav:mode": settings["//flavor:flavor"]}

mode = transition(implementation = _mode, inputs = ["//flavor:flavor"], outputs = ["//flav:mode"])

moved = rule(implementation = _moved, attrs = {
    "_mode": attr.label(default = "//flav:mode", cfg = mode),
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
})
`;

/** A package with a setting that a transition reads. */
export function flavor(value: string): string {
  return `load("//bazel:img.bzl", "string_flag")
string_flag(name = "flavor", build_setting_default = "${value}", visibility = ["//visibility:public"])
`;
}

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
export function globbing(pattern: string): string {
  return `filegroup(name = "files", srcs = glob(["${pattern}"]), visibility = ["//visibility:public"])`;
}

/** Its files, beside a folder with repositories. */
export const FILES = (outside: string) => ({
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
def _made(ctx):
    ctx.file("BUILD", 'load("@flywheel//made:defs.bzl", "made")\\nmade(name = "files")\\n')

made = repository_rule(implementation = _made)

def deps():
    made(name = "made")
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
    for name, src in {"toolchain": "//tc:used", "label": ":setting", "moved": "//flav:moved", "linked": "//ln:files", "prefixed": "//bn:files"}.items()
]
`,
  "flav/defs.bzl": TRANSITION,
  "flav/BUILD": `
load("//bazel:img.bzl", "string_flag")
load(":defs.bzl", "moved")
string_flag(name = "mode", build_setting_default = "none", visibility = ["//visibility:public"])
moved(name = "moved", visibility = ["//visibility:public"])
`,
  "flavor/BUILD": flavor("plain"),
  "made/BUILD": "",
  "made/defs.bzl": `
def made(name):
    native.filegroup(name = name, srcs = ["BUILD"], visibility = ["//visibility:public"])
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
export const LINKS = {
  WORKSPACE: "tools/W",
  ".bazelrc": "tools/real.bazelrc",
  "ln/link": "../shared",
};

/** Images of one file each, of a repository with their name. */
export const REPOSITORIES = ["absolute", "dotted", "named", "chosen", "mirror", "beyond", "made"];

/** Images of one file each. */
export const NAMES = [...REPOSITORIES, "toolchain", "label", "moved", "linked", "prefixed"];
