import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { isLocked, parseInstallable, systemOf } from "../../plugins/nix2container/installable.ts";
import { evaluationArgs, isImpure, storeRootOf } from "../../plugins/nix2container/nix_args.ts";
import { TestProject } from "../support/project.ts";

Deno.test("installables are read as Nix reads them", () => {
  const local = (folder: string, everything = false, subfolder = "", submodules = false) => ({
    folder,
    everything,
    subfolder,
    submodules,
  });
  const cases: [string, object][] = [
    [".#a", { reference: ".", attribute: ["a"], local: local(".") }],
    ["#a", { reference: ".", attribute: ["a"], local: local(".") }],
    ["./sub", { reference: "./sub", attribute: ["default"], local: local("./sub") }],
    ['.#a."b.c".d', { reference: ".", attribute: ["a", "b.c", "d"], local: local(".") }],
    [".#a^img", { attribute: ["a"], text: ".#a", output: "img", local: local(".") }],
    [".#a^*", { attribute: ["a"], text: ".#a", output: undefined, local: local(".") }],
    [".#^img", { attribute: ["default"], text: ".", output: "img", local: local(".") }],
    ["path:./x#a", { reference: "path:./x", attribute: ["a"], local: local("./x", true) }],
    ["git+file:///r?dir=d#a", { attribute: ["a"], local: local("/r", false, "d") }],
    ["git+file:///r?submodules=1#a", { attribute: ["a"], local: local("/r", false, "", true) }],
    ["git+file:.?ref=main#a", { attribute: ["a"], local: undefined }],
    ["github:o/r#a", { reference: "github:o/r", attribute: ["a"], local: undefined }],
    ["nixpkgs#a", { reference: "nixpkgs", attribute: ["a"], local: undefined }],
    ["-f x.nix -A a.b", { kind: "file", file: "x.nix", attribute: ["a", "b"] }],
    ["--file=x.nix a", { kind: "file", file: "x.nix", attribute: ["a"] }],
    ["-f .", { kind: "file", file: ".", attribute: [] }],
  ];
  for (const [text, expected] of cases) {
    const read = parseInstallable(text) as unknown as Record<string, unknown>;
    const picked = Object.fromEntries(Object.keys(expected).map((name) => [name, read[name]]));
    assertEquals([text, picked], [text, expected]);
  }
  for (const text of ["", "--impure", "-f", "-f x.nix a b", '.#a."b']) {
    assertThrows(() => parseInstallable(text), Fault, "Cannot read the installable");
  }
  assertThrows(() => parseInstallable(".#a^out,dev"), Fault, "names several outputs");
});

Deno.test("a fetched flake is locked where its reference names content", () => {
  const revision = "0123456789abcdef0123456789abcdef01234567";
  assertEquals(isLocked(`github:o/r/${revision}`), true);
  assertEquals(isLocked(`git+https://h/r?ref=x&rev=${revision}`), true);
  assertEquals(isLocked("github:o/r/main"), false);
  assertEquals(isLocked("nixpkgs"), false);
});

Deno.test("platforms have Nix's names", () => {
  assertEquals(systemOf("linux/amd64"), "x86_64-linux");
  assertEquals(systemOf("linux/arm/v7"), "armv7l-linux");
  assertThrows(() => systemOf("linux/mips"), Fault, "Nix has no system");
});

Deno.test("arguments are told apart", () => {
  assertEquals(evaluationArgs(["--rebuild", "-o", "x", "--max-jobs", "2"]), ["--max-jobs", "2"]);
  assertEquals(isImpure(["--option", "pure-eval", "false"]), true);
  assertEquals(isImpure(["--no-pure-eval"]), true);
  assertEquals(isImpure(["--override-input", "a", "b"]), true);
  assertEquals(isImpure(["--option", "cores", "2"]), false);
  assertEquals(storeRootOf(["--store", "/tmp/root/"]), "/tmp/root");
  assertEquals(storeRootOf(["--store", "local?root=/tmp/a%20b"]), "/tmp/a b");
  assertEquals(storeRootOf(["--store", "daemon"]), "");
  assertEquals(storeRootOf([]), "");
});

Deno.test("a recipe names one source", async (t) => {
  await using project = await TestProject.create();
  const cases: [string, string][] = [
    ["{}", "neither an installable nor a manifest"],
    ['{ installable: ".#a", manifest: "x.json" }', "both an installable and a manifest"],
    ['{ manifest: "x.json" }', "Cannot read the image's description"],
    ['{ installable: ".#a", healthcheck: { interval: 1 } }', 'needs the option "test"'],
  ];
  for (const [recipe, message] of cases) {
    await t.step(message, async () => {
      project.define(`{ images: { one: nix2container(${recipe}) } }`);
      assertStringIncludes((await project.images("build", "one")).stderr, message);
    });
  }
});

Deno.test("a layer whose path is not here is named when the image is built", async () => {
  await using project = await TestProject.create();
  const digest = `sha256:${"0".repeat(64)}`;
  const layer = { digest, size: 1, diff_ids: digest, paths: [{ path: "/nix/store/gone" }] };
  project.write({ "image.json": JSON.stringify({ version: 1, layers: [layer] }) });
  project.define(`{ images: { one: nix2container({ manifest: "image.json" }) } }`);
  const { code, stderr } = await project.images("build");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "/nix/store/gone: A path of the image is not on this machine");
});
