/** From labels and settings to the files that count. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Queried, QueriedTarget } from "../../plugins/rules_img/bazel/query.ts";
import { closureOf } from "../../plugins/rules_img/closure/closure.ts";
import { loadsOf, stringsOf } from "../../plugins/rules_img/closure/loads.ts";
import {
  rcChain,
  splitWords,
  valuesOf,
  variablesOf,
  wordsOfBuild,
} from "../../plugins/rules_img/closure/rc.ts";
import { placeOf } from "../../plugins/rules_img/closure/repositories.ts";
import { matchedBy, saidBy } from "../../plugins/rules_img/closure/roots.ts";
import { SourceFinder } from "../../plugins/rules_img/closure/sources.ts";
import { workspaceFiles } from "../../plugins/rules_img/closure/workspace_files.ts";
import { Workspace } from "./closure_rig.ts";

const source = (location: string): QueriedTarget => ({
  kind: "source-file",
  location,
  inputs: [],
});

Deno.test("loadsOf() and stringsOf() know comments, quotes and continued calls", () => {
  const text = `
load("//a:b.bzl", "x")  # load("//not:this.bzl")
load(
    # a remark: "quoted"
    ':c.bzl', y = "z")
def load_it(): pass
    # load(":nor_this.bzl")
pull(lock = "//:pnpm-lock.yaml", path = "../other", text = """
"//in/text"
""", odd = "a\\"b#c")
`;
  const from = { repository: "", package: "app", name: "BUILD" };
  assertEquals(loadsOf(text, from).map(({ package: folder, name }) => `${folder}:${name}`), [
    "a:b.bzl",
    "app:c.bzl",
  ]);
  assertEquals(stringsOf(text).slice(0, 4), ["//a:b.bzl", "x", ":c.bzl", "z"]);
  assertEquals(stringsOf(text).slice(4), ["//:pnpm-lock.yaml", "../other", 'a"b#c']);
});

Deno.test("splitWords() cuts as Bazel does", () => {
  const cases: [string, string[]][] = [
    ["build --a=b  -c opt", ["build", "--a=b", "-c", "opt"]],
    [`build "--x=a b" 'c d'e # rest`, ["build", "--x=a b", "c de"]],
    ["build --x=a\\ b ''", ["build", "--x=a b", ""]],
    ["# all of it", []],
  ];
  for (const [line, words] of cases) assertEquals(splitWords(line), words, line);
  const word = fc.stringMatching(/^[a-z=/-]{1,8}$/);
  fc.assert(fc.property(fc.array(word), (words) => {
    assertEquals(splitWords(words.map((each) => `"${each}"`).join(" ")), words);
  }));
});

Deno.test("rcChain() follows imports; what may be missing is nobody else's", () => {
  using ws = new Workspace({
    ".bazelrc": [
      "import %workspace%/ci.bazelrc",
      "import tools/rel.bazelrc",
      "import %workspace%/../common.bazelrc",
      "import /elsewhere/x.bazelrc",
      "try-import %workspace%/user.bazelrc",
      "build --action_env=TOKEN --action_env=FIXED=1 \\",
      "  --repo_env GOPROXY",
    ].join("\n"),
    "ci.bazelrc": "build:ci --host_action_env=LANG\nimport %workspace%/.bazelrc\n",
    "home/.bazelrc": "build --action_env=MINE\n",
  });
  const { own, local, words } = rcChain(ws.path, `${ws.path}/home`);
  assertEquals(ws.inside(own), [
    ".bazelrc",
    ws.path.replace(/ws$/, "common.bazelrc"),
    "ci.bazelrc",
    "tools/rel.bazelrc",
  ]);
  assertEquals(ws.inside(local).filter((path) => !path.startsWith("/etc/")), [
    "/elsewhere/x.bazelrc",
    "home/.bazelrc",
    "user.bazelrc",
  ]);
  assertEquals(variablesOf(words), ["LANG", "TOKEN", "GOPROXY", "MINE"]);
  assertEquals(valuesOf(["--platforms=//p:x", "--platforms", "//p:y"], ["--platforms"]), [
    "//p:x",
    "//p:y",
  ]);
});

Deno.test("wordsOfBuild() puts what configurations stand for in their place", () => {
  const lines = [
    "common --registry=https://r",
    "build --a --config=always",
    "build:always --b",
    "common:ci --c --config=deep",
    "test:ci --not-this",
    "build:deep --d --config ci",
  ].map((line) => {
    const [command = "", ...words] = splitWords(line);
    return { command, words, isOwn: true };
  });
  const rc = { own: [], local: [], lines, words: lines.flatMap(({ words }) => words) };
  assertEquals(wordsOfBuild(rc, ["--config", "ci", "--e"]), ["--a", "--b", "--c", "--d", "--e"]);
  assertEquals(wordsOfBuild(rc, []), ["--a", "--b"]);
});

Deno.test("saidBy() takes lists of platforms apart, and settings whose value may be a label", () => {
  const { patterns, values } = saidBy([
    "--extra_toolchains=//tc:a,@far//:b,@//tc:all",
    "--platforms",
    "//pm:p",
    "--//flags:lib=//other:lib",
    "--@rules//flags:lib=//other",
    "--//flags:text=//no label, but a text",
    "--//flags:off",
  ]);
  assertEquals(patterns, ["//tc:a", "@//tc:all", "//pm:p"]);
  assertEquals([...values], [
    ["//flags:lib", ["//other:lib"]],
    ["@rules//flags:lib", ["//other:other"]],
  ]);
});

Deno.test("matchedBy() takes of a package its rules, or all of it, or one by name", () => {
  const rule: QueriedTarget = { kind: "rule", inputs: [] };
  const queried = new Map([
    ["//tc:a", rule],
    ["//tc:a.txt", source("/ws/tc/BUILD")],
    ["//tc/sub:b", rule],
    ["@far//tc:c", rule],
  ]);
  const cases: [string, string[]][] = [
    ["//tc:all", ["//tc:a"]],
    ["//tc/...", ["//tc:a", "//tc/sub:b"]],
    ["//tc:*", ["//tc:a", "//tc:a.txt"]],
    ["@//tc:a.txt", ["//tc:a.txt"]],
  ];
  for (const [pattern, matched] of cases) assertEquals(matchedBy([pattern], queried), matched);
});

Deno.test("workspaceFiles() finds lock files, extensions and toolchains", () => {
  using ws = new Workspace({
    "MODULE.bazel": `
module(name = "mine", repo_name = "me")
bazel_dep(name = "rules_img", version = "0.3.19")
npm = use_extension("@rules_js//npm:extensions.bzl", "npm")
npm.npm_translate_lock(pnpm_lock = "//:pnpm-lock.yaml", missing = "//:not-there.yaml")
mine = use_extension("//tools:ext.bzl", "mine")
include("//tools:more.MODULE.bazel")
register_toolchains("//tools/toolchains:all", "@llvm//:all", "@me//tools:own")
`,
    "tools/more.MODULE.bazel": 'x(lock = "@me//tools:go.mod")\n',
    "tools/ext.bzl": 'load(":deep.bzl", "deep")\n',
    "tools/deep.bzl": 'FILE = "//tools:list.txt"\n',
    "tools/list.txt": "",
    "tools/go.mod": "",
    "tools/unnamed.txt": "",
    "pnpm-lock.yaml": "",
  });
  const top = workspaceFiles(ws.path);
  const there = ws.inside(top.files).filter((path) => {
    try {
      return Deno.statSync(`${ws.path}/${path}`).isFile;
    } catch {
      return false;
    }
  });
  assertEquals(there, [
    "MODULE.bazel",
    "pnpm-lock.yaml",
    "tools/deep.bzl",
    "tools/ext.bzl",
    "tools/go.mod",
    "tools/list.txt",
    "tools/more.MODULE.bazel",
  ]);
  assertEquals(ws.inside(top.files).includes("MODULE.bazel.lock"), true);
  assertEquals(top.registered, ["//tools/toolchains:all", "//tools:own"]);
});

Deno.test("SourceFinder finds sources, BUILD files, loaded files, links and local repositories", () => {
  using ws = new Workspace({
    "WORKSPACE": 'workspace(name = "mine")\n',
    "app/BUILD.bazel": 'load("@mine//tools:defs.bzl", "x")\n',
    "app/BUILD": "not looked at: BUILD.bazel wins",
    "app/main.js": "",
    "app/linked": "→ chained",
    "app/chained": "→ ../real.txt",
    "app/folder/x": "",
    "real.txt": "",
    "tools/defs.bzl": 'load(":more.bzl", "y")\n',
    "tools/more.bzl": "",
    "third_party/lib/BUILD": "",
    "third_party/lib/a.c": "",
    "out/external/lib": "→ ../../third_party/lib",
    "out/external/npm/BUILD": "",
    "out/external/npm/index.js": "",
  });
  const app = `${ws.path}/app/BUILD.bazel`;
  const lib = `${ws.path}/out/external/lib/BUILD`;
  const npm = `${ws.path}/out/external/npm/BUILD`;
  const queried: Queried = new Map([
    ["//app:image", {
      kind: "rule",
      location: app,
      inputs: ["//app:main.js", "//app:linked", "//app:folder", "@lib//:a.c", "@npm//:index.js"],
    }],
    ["//app:main.js", source(app)],
    ["//app:linked", source(app)],
    ["//app:folder", source(app)],
    ["@lib//:a.c", source(lib)],
    ["@npm//:index.js", source(npm)],
  ]);
  const finder = new SourceFinder(ws.path, queried, workspaceFiles(ws.path));
  const { files, packages } = finder.find(closureOf(queried, ["//app:image"]));
  assertEquals(ws.inside(files), [
    "app/BUILD.bazel",
    "app/chained",
    "app/folder",
    "app/linked",
    "app/main.js",
    "real.txt",
    "third_party/lib/BUILD",
    "third_party/lib/a.c",
    "tools/defs.bzl",
    "tools/more.bzl",
  ]);
  assertEquals(ws.inside(packages), ["app", "third_party/lib"]);
});

Deno.test("placeOf() tells sources from what Bazel fetched and what a machine has", () => {
  const hash = "0123456789abcdef0123456789abcdef";
  using ws = new Workspace({
    "../lib/BUILD": "",
    "src/a": "",
    "src/d/b": "",
    "src/BUILD": "",
    [`root/install/${hash}/tools/BUILD`]: "",
    "root/cache/fetched/BUILD": "",
    "root/out/install": `→ ../install/${hash}`,
    "root/out/external/lib": "→ ../../../../lib",
    "root/out/external/tools": `→ ../../install/${hash}/tools`,
    "root/out/external/fetched": "→ ../../cache/fetched",
    "root/out/external/system": "→ /usr/share",
    "root/out/external/whole/BUILD.bazel": "",
  });
  for (const name of ["a", "d"]) {
    ws.write({ [`root/out/external/whole/${name}`]: `→ ${ws.path}/src/${name}` });
  }
  ws.write({ "root/out/external/part/a": `→ ${ws.path}/src/a` });
  const edited = (name: string) => placeOf(`${ws.path}/root/out/external/${name}`, ws.path).edited;
  assertEquals(edited("lib"), ws.path.replace(/ws$/, "lib"));
  assertEquals(edited("whole"), `${ws.path}/src`);
  for (const name of ["tools", "fetched", "system", "part"]) assertEquals(edited(name), undefined);
});
