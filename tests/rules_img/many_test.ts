/** Several Bazel images in one run, and what a recipe hands on to Bazel. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { imageOf } from "../support/project.ts";
import { freePort } from "../support/real/dashboard.ts";
import { startDavServer } from "../support/real/dav.ts";
import { runTool } from "../support/real/program.ts";
import { startRemoteCache } from "../support/real/remote_cache.ts";
import { toolTest } from "../support/tools.ts";
import { BAZEL, bazelProject } from "./rig.ts";

const NUMBERS = Array.from({ length: 10 }, (_, at) => String(at));

const MANY = `
load("//bazel:img.bzl", "image_manifest")

[
    image_manifest(
        name = "image%s" % at,
        labels = {"number": str(at)},
        layers = ["//app:modules_layer"],
    )
    for at in range(10)
]
`;

const OWN = (pipe: string) => `
load("//bazel:img.bzl", "image_layer", "image_manifest")

genrule(name = "greeting", outs = ["greeting.txt"], cmd = "echo hello $\${GREETED:-} > $@")

genrule(name = "hanging", outs = ["hanging.txt"], cmd = "cat ${pipe} > $@", local = True)

[image_layer(name = name + "_layer", srcs = {name: "/" + name}) for name in ["greeting", "hanging"]]

[image_manifest(name = name + "_image", layers = [name + "_layer"]) for name in ["greeting", "hanging"]]
`;

const GREETINGS = `{
  images: {
    plain: rulesImg({ target: "own:greeting_image" }),
    named: rulesImg({ target: "@flywheel//own:greeting_image" }),
    greeting: rulesImg({ target: "//own:greeting_image", hostEnv: ["GREETED"] }),
    hanging: rulesImg({ target: "//own:hanging_image", timeout: 1 }),
  },
}`;

toolTest(["bazel", "node", "nginx"], "what is handed on to Bazel", async (t) => {
  await using rig = await bazelProject(`{
    images: each(${JSON.stringify(NUMBERS)}, (at) =>
      rulesImg({ target: "//many:image" + at, repository: "image" + at })),
  }`);
  const { project } = rig;
  const pipe = project.beside("pipe");
  await runTool(["mkfifo", pipe]);
  project.write({ "many/BUILD.bazel": MANY, "own/BUILD.bazel": OWN(pipe) });

  await t.step("ten images are one build", async () => {
    const document = await project.json(["build"]);
    assertEquals(document.totals, { built: 10 });
    assertEquals(new Set(document.images.map(({ digest }) => digest)).size, 10);
    const commands = project.starts("bazel");
    assertEquals(rig.started(), ["query", "build"]);
    for (const at of NUMBERS) assertStringIncludes(commands[1]!, `//many:image${at}`);
    assertMatch(Deno.readTextFileSync(project.path(".images/logs/0.log")), /Analyzed 10 targets/);
  });

  project.define(GREETINGS);
  await t.step("bazelisk is preferred where it is installed", async () => {
    project.fakeTool("bazelisk", `exec ${BAZEL} "$@"`);
    project.env.GREETED = "Ahoy";
    await project.json(["build", "greeting"]);
    assertEquals(rig.started(), []);
    const commands = project.starts("bazelisk");
    assertEquals(commands.map((args) => args.split(" ")[0]), ["query", "build"]);
    assertStringIncludes(commands[1]!, "--action_env=GREETED");
    assertEquals(commands[1]!.includes("Ahoy"), false);
    Deno.removeSync(project.beside("bin/bazelisk"));
  });

  await t.step("hostEnv reaches the actions, and another value is another image", async () => {
    const { digest } = imageOf(await project.json(["build", "greeting"]), "greeting");
    project.env.GREETED = "Bye";
    const again = imageOf(await project.json(["build", "greeting"]), "greeting");
    assertEquals(again.reasons.map(({ kind, path }) => [kind, path]), [["env-changed", "GREETED"]]);
    assertNotEquals(again.digest, digest);
  });

  await t.step("an image that runs out of time does not take others with it", async () => {
    const names = ["plain", "named", "hanging"];
    const program = `exec ${BAZEL} "$@"`;
    // First a query that never ends, then an action.
    for (const endless of ["case $* in query*hanging*) exec sleep 600 ;; esac", ":"]) {
      project.fakeTool("bazel", `${endless}; ${program}`);
      const document = await project.json(["build", ...names, "--keep-going", "--force"], 1);
      const [plain, named] = names.map((name) => imageOf(document, name));
      assertEquals([plain!.status, named!.status], ["built", "built"]);
      assertEquals(named!.digest, plain!.digest);
      const { status, error } = imageOf(document, "hanging");
      assertEquals(status, "failed");
      assertMatch(error!.message, /longer than its timeout of 1 s/);
    }
  });

  await t.step("files of hidden folders and other packages are nobody's business", async () => {
    project.write({ ".bazelignore": "own/hidden\n", "own/hidden/x": "", "own/other/BUILD": "" });
    await project.json(["build", "plain"]);
    rig.started();
    project.write({ "own/hidden/y": "", "own/other/y": "" });
    await project.json(["build", "plain"]);
    assertEquals(rig.started(), []);
    Deno.removeSync(project.path("own/other/BUILD"));
    await project.json(["build", "plain"]);
    assertEquals(rig.started(), ["query"]);
  });

  await using store = await startDavServer();
  // Actions see one PATH, whoever starts them.
  const cache = [`--remote_cache=${store.url}`, "--incompatible_strict_action_env"];
  const cached = (args: readonly string[]) =>
    `{ images: { app: rulesImg({ target: "//app:image", args: ${JSON.stringify(args)} }) } }`;
  project.define(cached(cache));
  const { digest } = imageOf(await project.json(["build"]), "app");
  const logOf = () => Deno.readTextFileSync(project.path(".images/logs/app.log"));
  const clean = async () => {
    await rig.run("clean");
    await Deno.remove(project.path(".images"), { recursive: true });
  };

  await t.step("a remote cache serves a clean workspace without local actions", async () => {
    await clean();
    const built = imageOf(await project.json(["build"]), "app");
    assertEquals([built.status, built.digest], ["built", digest]);
    assertMatch(logOf(), /processes: \d+ remote cache hit, \d+ internal\./);
  });

  await t.step("outputs that flags leave remote are fetched by Bazel", async () => {
    await clean();
    const rc = Deno.readTextFileSync(project.path(".bazelrc"));
    const far = `build:far ${cache.join(" ")} --remote_download_minimal\n`;
    project.write({ ".bazelrc": rc + far });
    project.define('{ images: { app: rulesImg({ target: "//app:image", config: "far" }) } }');
    rig.started();
    const again = imageOf(await project.json(["build"]), "app");
    assertEquals([again.status, again.digest], ["built", digest]);
    assertEquals(rig.started(), ["query", "build", "build"]);
  });

  await t.step("so are those that events name by byte streams", async () => {
    await using remote = await startRemoteCache();
    const through = (...more: string[]) => {
      project.define(cached([`--remote_cache=${remote.url}`, cache[1]!, ...more]));
      return project.json(["build"]);
    };
    await clean();
    await through();
    assertEquals(remote.reads(), 0);
    assert(remote.blobs.has(digest!.slice("sha256:".length)));

    await clean();
    const built = imageOf(await through("--remote_download_minimal"), "app");
    assertEquals([built.status, built.digest], ["built", digest]);
    assertMatch(logOf(), /processes: \d+ remote cache hit, \d+ internal\./);
    assert(remote.reads() >= 5, "documents and layers come from the cache");
  });

  await t.step("a cache that does not answer is named, and what to look at", async () => {
    project.define(cached([`--remote_cache=grpc://127.0.0.1:${freePort()}`]));
    const { error } = imageOf(await project.json(["build"], 1), "app");
    assertMatch(error!.message, /remote execution capabilities/);
    assertMatch(error!.next!, /see that the remote cache .* answers/);
  });
});
