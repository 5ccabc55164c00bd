/** What of the environment and of the user's own options is part of a Bazel image's key. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { effectiveOptions, localOptions } from "../../plugins/rules_img/closure/options.ts";
import { rcChain } from "../../plugins/rules_img/closure/rc.ts";
import { environmentOf, readBy } from "../../plugins/rules_img/environment.ts";
import { imageOf } from "../support/project.ts";
import { commitAll } from "../support/real/fixture.ts";
import { toolTest } from "../support/tools.ts";
import { Workspace } from "./closure_rig.ts";
import { bazelProject } from "./rig.ts";

/** Options in effect with these files; the system's own .bazelrc says nothing of interest here. */
function effective(files: Record<string, string>, given: readonly string[] = []) {
  using ws = new Workspace({ "home/x": "" });
  const here = (text: string) => text.replaceAll("WORKSPACE", ws.path);
  ws.write(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, here(text)])));
  const options = effectiveOptions(rcChain(ws.path, `${ws.path}/home`), given);
  const local = [...localOptions(options, ws.path)].filter(([name]) => name !== "--host_javabase");
  return {
    texts: options.map(({ text }) => text),
    local: Object.fromEntries(local),
    env: environmentOf(options, [], [], ws.path),
  };
}

const STRICT = "build --incompatible_strict_action_env\n";

Deno.test("variables that options in effect let through are part of the key", async (t) => {
  const cases: Record<
    string,
    readonly [rc: string, env: readonly string[], given?: readonly string[]]
  > = {
    "by action_env": ["build --action_env=A --action_env B --action_env=C=1", ["A", "B"]],
    "by its relatives": [
      "build --host_action_env=A\nbuild --repo_env=B\ncommon --client_env=C",
      ["A", "B", "C"],
    ],
    "not for tests": ["build --test_env=A\ntest --action_env=B", []],
    "of every command": ["common --action_env=A\nalways --action_env=B", ["A", "B"]],
    "quoted, continued, with remarks": [
      `build "--action_env=A" \\\n  '--action_env'=B # --action_env=C\n# build --action_env=D`,
      ["A", "B"],
    ],
    "of a configuration that is chosen": [
      "build --config=ci\nbuild:ci --config=deep\nbuild:deep --action_env=A\nbuild:dev --action_env=B",
      ["A"],
    ],
    "of a configuration that the recipe chooses": [
      "build:ci --action_env=A\nbuild:dev --action_env=B",
      ["A"],
      ["--config=ci"],
    ],
    "of this kind of machine": ["build:linux --action_env=A\nbuild:windows --action_env=B", ["A"]],
    "not of this kind of machine, where that is off": [
      "build --noenable_platform_specific_config\nbuild:linux --action_env=A",
      [],
    ],
    "of the recipe": ["", ["A"], ["--action_env=A"]],
  };
  for (const [name, [rc, expected, given]] of Object.entries(cases)) {
    await t.step(
      name,
      () => assertEquals(effective({ ".bazelrc": STRICT + rc }, given).env, expected),
    );
  }
});

Deno.test("PATH is part of the key unless actions do not inherit it", () => {
  const inherited = ["LD_LIBRARY_PATH", "PATH"];
  const off = "build --noincompatible_strict_action_env";
  assertEquals(effective({}).env, inherited);
  assertEquals(effective({ ".bazelrc": STRICT }).env, []);
  assertEquals(effective({ ".bazelrc": `${STRICT}${off}` }).env, inherited);
  assertEquals(effective({ ".bazelrc": "common --incompatible_strict_action_env=1" }).env, []);
  assertEquals(effective({ ".bazelversion": "8.4.0\n" }).env, inherited);
  assertEquals(effective({ ".bazelversion": "9.0.0\n" }).env, []);
  assertEquals(effective({ ".bazelversion": "9.0.0\n", ".bazelrc": off }).env, inherited);
});

Deno.test("what repository rules read by name is found in their text", () => {
  const text = `
def _impl(ctx):
    ctx.getenv("A", "none")
    ctx.os.environ.get('B')
    ctx.os.environ["C"]
    if "D" in repository_ctx.os.environ: pass
rule = repository_rule(implementation = _impl, environ = ["E", "F",
    "G"])
`;
  assertEquals(readBy(text).sort(), ["A", "B", "C", "D", "E", "F", "G"]);
  assertEquals(readBy(`name = "A"`), []);
  using ws = new Workspace({ "x.bzl": text });
  const env = environmentOf([], [], [`${ws.path}/x.bzl`], ws.path);
  assert(env.includes("A") && env.includes("G"));
  const usesC = ["@local_config_cc//:toolchain"];
  assert(environmentOf([], usesC, [], ws.path).includes("CC"));
});

Deno.test("options of the user's own count where they can change the result", async (t) => {
  const own =
    "build:fast --copt=-O0\nbuild:remote --remote_cache=x --jobs 3\ntry-import %workspace%/user.bazelrc";
  const cases: Record<string, readonly [Record<string, string>, Record<string, string[]>]> = {
    "of the home folder": [
      { "home/.bazelrc": "build --define=color=red --define color=blue -c opt" },
      { "--define": ["color=red", "color=blue"], "-c": ["opt"] },
    ],
    "of a file that need not be there": [
      { "user.bazelrc": "build --action_env=TOKEN=secret" },
      { "--action_env": ["TOKEN=secret"] },
    ],
    "a configuration of the workspace that they choose": [
      { "user.bazelrc": "build --config=fast" },
      { "--copt": ["-O0"] },
    ],
    "not where and how Bazel works": [
      {
        "home/.bazelrc":
          "startup --host_jvm_args=-Xmx1g\nbuild --config=remote --disk_cache=~/x\n" +
          "build --color=yes --verbose_failures --keep_going --sandbox_debug --noshow_progress\n" +
          "build --experimental_remote_cache_async --spawn_strategy=local --test_output=all",
      },
      {},
    ],
    "not what another command does": [
      { "home/.bazelrc": "run --define=a=b\nbuild:x --copt=-O3" },
      {},
    ],
    "places in the workspace as they are from there": [
      { "home/.bazelrc": "build --platforms=WORKSPACE/x" },
      { "--platforms": ["x"] },
    ],
  };
  for (const [name, [files, expected]] of Object.entries(cases)) {
    await t.step(
      name,
      () => assertEquals(effective({ ".bazelrc": own, ...files }).local, expected),
    );
  }
});

const GREETED = `
genrule(
    name = "greeting",
    outs = ["greeting.txt"],
    cmd = "echo $$GREETING $$PATH > $@",
)
image_layer(name = "greeting_layer", srcs = {":greeting": "/greeting"})
image_manifest(name = "greeted", layers = [":greeting_layer"])
`;

toolTest(["bazel", "node"], "another value of a variable is another Bazel image", async (t) => {
  await using rig = await bazelProject(
    `{ images: { app: rulesImg({ target: "//app:greeted" }) } }`,
  );
  const { project } = rig;
  const own = Deno.readTextFileSync(project.path(".bazelrc"));
  const buildFile = "app/BUILD.bazel";
  project.write({
    [buildFile]: Deno.readTextFileSync(project.path(buildFile)) + GREETED,
    ".bazelrc": `${own}build --action_env=GREETING\n`,
  });
  const build = async () => {
    const { status, key, imageId, reasons } = imageOf(await project.json(["build"]), "app");
    return { status, key, imageId, why: reasons.map(({ kind, path }) => `${kind} ${path}`) };
  };
  project.env.GREETING = "one";
  const one = await build();
  await t.step("that .bazelrc lets through", async () => {
    project.env.GREETING = "two";
    const two = await build();
    assertEquals([two.status, two.why], ["built", ["env-changed GREETING"]]);
    assertNotEquals(two.imageId, one.imageId);
    project.env.GREETING = "one";
    assertEquals((await build()).key, one.key);
  });
  await t.step("that actions inherit, unless they are strict", async () => {
    const path = project.env.PATH ?? Deno.env.get("PATH")!;
    project.env.PATH = `${path}:/nowhere`;
    const other = await build();
    assertEquals([other.status, other.why], ["built", ["env-changed PATH"]]);
    assertNotEquals(other.imageId, one.imageId);
    project.write({ ".bazelrc": `${own}${STRICT}build --action_env=GREETING\n` });
    const strict = await build();
    project.env.PATH = path;
    const again = await build();
    assertEquals([again.status, again.key], ["cached", strict.key]);
  });
  await t.step("that a status command tells, where outputs are stamped", async () => {
    const greeted = `${own}${STRICT}build --action_env=GREETING\n`;
    const commit = async () => {
      project.write({ "nix/notes.txt": crypto.randomUUID() });
      await commitAll(project.root);
    };
    const status = "echo STABLE_COMMIT $(git rev-parse HEAD); echo CLOCK $(date +%N)\n";
    project.write({ "tools/status.sh": `#!/bin/sh\n${status}` }, 0o755);
    await commit();
    const command = "build --workspace_status_command=tools/status.sh\n";
    project.write({ ".bazelrc": `${greeted}${command}` });
    const plain = await build();
    await commit();
    assertEquals((await build()).key, plain.key, "nothing is stamped");
    project.write({ ".bazelrc": `${greeted}${command}build --stamp\n` });
    const stamped = await build();
    assertEquals((await build()).status, "cached");
    await commit();
    const next = await build();
    assertEquals(next.why, ["option-changed stamp"]);
    assertNotEquals(next.key, stamped.key);
  });
});
