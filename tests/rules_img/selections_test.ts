/** From files on disk to selections. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  fileSelections,
  ignoredFolders,
  listingSelections,
} from "../../plugins/rules_img/closure/selections.ts";
import { Workspace } from "./closure_rig.ts";

Deno.test("a selection is short, and its tree hangs on the files alone", async () => {
  using ws = new Workspace({
    "app/src/a": "a",
    "app/src/deep/b": "b",
    "app/src/[id].ts": "",
    "app/x": "x",
    "app/other": "",
    "app/BUILD": "",
  });
  const paths = ["app/src/a", "app/src/deep/b", "app/src/[id].ts", "app/x", "app/BUILD", "gone"]
    .map((path) => `${ws.path}/${path}`);
  const selections = fileSelections(ws.path, paths);
  assertEquals(selections[0]!.include, ["app/BUILD", "app/src", "app/x", "gone"]);
  const { root, entries } = await ws.tree(selections);
  assertEquals(entries.map(({ path }) => path), [
    "app/BUILD",
    "app/src/[id].ts",
    "app/src/a",
    "app/src/deep/b",
    "app/x",
  ]);

  ws.write({ "app/src/notes": "does not go in" });
  Deno.mkdirSync(`${ws.path}/app/src/empty`);
  const again = fileSelections(ws.path, paths);
  assertEquals(again[0]!.include.includes("app/src"), false);
  assertEquals((await ws.tree(again)).root, root);
});

Deno.test("a selection takes just the files it was made for", async () => {
  const name = fc.stringMatching(/^[ab*[{(!é]$/);
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), fc.nat(), async (all, pick) => {
      // A file is no folder: names that others go through are left out.
      const files = all.filter((each) => !all.some((other) => other.startsWith(`${each}/`)));
      using ws = new Workspace(Object.fromEntries(files.map((each) => [each, each])));
      const taken = files.filter((_, at) => (pick >> at) % 2 === 1);
      const selections = fileSelections(ws.path, taken.map((each) => `${ws.path}/${each}`));
      const { entries } = await ws.tree(selections);
      assertEquals(entries.map((entry) => entry.path).sort(), taken.sort());
    }),
    { numRuns: 60 },
  );
});

Deno.test("a listing sees what globs see: not other packages, nor what is ignored", async () => {
  using ws = new Workspace({
    "app/BUILD": "",
    "app/a": "",
    "app/.hidden/x": "",
    "app/sub/BUILD.bazel": "",
    "app/sub/.dot": "",
    "app/sub/deep/y": "",
    "app/node_modules/z": "",
    "app/bazel-bin": "→ /nowhere",
    "bazel-bin": "→ /out/execroot/ws/bazel-out/bin",
    "bazel-other": "→ /out/execroot/ws",
    "bazel-notes.md": "",
    ".bazelignore": "# remarks\napp/node_modules/\n",
  });
  const listed = {
    workspace: ws.path,
    packages: [`${ws.path}/app`],
    ignored: ignoredFolders(ws.path, Deno.readTextFileSync(`${ws.path}/.bazelignore`)),
  };
  const names = async () => {
    const { entries } = await ws.tree(listingSelections(ws.path, listed));
    return entries.map(({ path }) => path);
  };
  const seen = ["app/.hidden", "app/.hidden/x", "app/BUILD", "app/a", "app/bazel-bin", "app/sub"];
  assertEquals(await names(), [...seen, "app/sub/BUILD.bazel"]);
  Deno.removeSync(`${ws.path}/app/sub/BUILD.bazel`);
  assertEquals(await names(), [...seen, "app/sub/.dot", "app/sub/deep", "app/sub/deep/y"]);

  const top = listingSelections(ws.path, { ...listed, packages: [ws.path] });
  assertEquals((await ws.tree(top)).entries.map(({ path }) => path), [
    ".bazelignore",
    "app",
    "app/BUILD",
    "bazel-notes.md",
  ]);
});

Deno.test("a listing sees what links to folders lead to, but no machine's and no output", async () => {
  using ws = new Workspace({
    "app/BUILD": "",
    "app/shared": "→ ../shared",
    "app/self": "→ .",
    "app/up": "→ ../..",
    "app/usr": "→ /usr/share",
    "app/file": "→ ../shared/a",
    "app/package": "→ ../package",
    "shared/a": "",
    "shared/more": "→ ../more",
    "more/b": "",
    "package/BUILD": "",
    "package/c": "",
  });
  const listed = { workspace: ws.path, packages: [`${ws.path}/app`], ignored: new Set<string>() };
  const { entries } = await ws.tree(listingSelections(ws.path, listed));
  assertEquals(entries.map(({ path }) => path), [
    ...["BUILD", "file", "package", "self", "shared", "up", "usr"].map((name) => `app/${name}`),
    "more/b",
    "shared/a",
    "shared/more",
  ]);
});
