/** What people are told when Bazel does not even begin. */

import { assertEquals, assertMatch } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";
import { bazelProject } from "./rig.ts";

const APP = `{ images: { app: rulesImg({ target: "//app:image" }) } }`;

/** What a client, wrapper or server prints, its status, and what people are to be told. */
const ENDS: Record<string, readonly [string, number, RegExp, RegExp]> = {
  "a startup option that is gone": [
    "[INFO 03:39:36.196 src/main/cpp/rc_file.cc:56] Parsing the RcFile /w/.bazelrc\n" +
    "[FATAL 03:39:36.204 src/main/cpp/blaze.cc:1298] Unknown startup option: '--gone'.\n" +
    "  For more info, run 'bazel help startup_options'.",
    2,
    /^Unknown startup option: '--gone'$/,
    /`startup` lines of \.bazelrc/,
  ],
  "a missing import": [
    "[FATAL 03:39:36.418 src/main/cpp/blaze.cc:1298] Unexpected error reading .blazerc file '/w/n.bazelrc'",
    37,
    /reading \.blazerc file '\/w\/n\.bazelrc'$/,
    /try-import/,
  ],
  "a missing import, in newer words": [
    "[FATAL 03:39:36.418 src/main/cpp/blaze.cc:1298] Unexpected error reading config file '/w/n.bazelrc'",
    37,
    /config file '\/w\/n\.bazelrc'$/,
    /try-import/,
  ],
  "a configuration that nobody defines": [
    "ERROR: Config value 'ci' is not defined in any .rc file",
    2,
    /^Config value 'ci' is not defined/,
    /`config` and `args` in images\.ts/,
  ],
  "a server that cannot begin": [
    "Server crashed during startup. Now printing /h/server/jvm.out\n" +
    "Error occurred during initialization of VM\nToo small maximum heap",
    37,
    /^Bazel's server crashed during startup:\nError occurred .*\nToo small maximum heap$/,
    /more memory/,
  ],
  "a server that dies": [
    "Server terminated abruptly (error code: 14, error message: 'Socket closed', log file: '/h/jvm.out')",
    37,
    /^Bazel's server ended before the work was done$/,
    /run the command again/,
  ],
  "no memory": [
    "FATAL: bazel ran out of memory and crashed. Printing stack trace:\njava.lang.OutOfMemoryError: Java heap space",
    33,
    /^bazel ran out of memory/,
    /more memory/,
  ],
  "a full disk": [
    "ERROR: Error while writing: /h/x (No space left on device)",
    36,
    /No space left on device/,
    /free some space/,
  ],
  "a lock that is held": [
    "FATAL: Another command (pid=17) is running. Exiting immediately.",
    9,
    /^Another command \(pid=17\) is running/,
    /wait for the other command/,
  ],
  "a lock that is held, without a word": [
    "",
    45,
    /^Another command of Bazel/,
    /wait for the other/,
  ],
  "a version that is not installed": [
    "ERROR: The project you're trying to build requires Bazel 7.0.0 (specified in /w/.bazelversion), but it wasn't found in /usr/bin.",
    1,
    /requires Bazel 7\.0\.0/,
    /\.bazelversion/,
  ],
  "a version that cannot be downloaded": [
    "2026/01/01 10:00:00 Downloading https://example.com/bazel...\n" +
    "2026/01/01 10:00:01 could not download Bazel: failed to fetch: no such host",
    1,
    /^could not download Bazel: .*no such host$/,
    /\.bazelversion.*Bazelisk/,
  ],
  "an output base that cannot be": [
    "FATAL: Output base directory '/proc/nope' could not be created: (error: 2): No such file or directory",
    36,
    /^Output base directory '\/proc\/nope' could not be created/,
    /output_base/,
  ],
  "something nobody foresaw": ["Something odd", 99, /status 99: Something odd$/, /log/],
};

/** Those of a machine where Bazel builds nothing at all. */
const CANNOT_START = ["a version that is not installed", "a version that cannot be downloaded"];

Deno.test("the client's own words are the reason", async (t) => {
  await using project = await TestProject.resident({ WORKSPACE: "", "said.txt": "" });
  project.define(APP);
  for (const [name, [said, status, message, next]] of Object.entries(ENDS)) {
    await t.step(name, async () => {
      project.write({ "said.txt": `${said}\n` });
      project.fakeTool("bazel", `cat "${project.path("said.txt")}" >&2; exit ${status}`);
      const cannotStart = CANNOT_START.includes(name);
      const document = await project.json(["build"], cannotStart ? 0 : 1);
      const { error, status: outcome } = imageOf(document, "app");
      assertEquals(outcome, cannotStart ? "unavailable" : "failed");
      assertMatch(error?.message ?? "", message);
      assertMatch(error?.next ?? "", next);
    });
  }
});

toolTest(["bazel", "node"], "what is wrong with .bazelrc is told, and mended", async () => {
  await using rig = await bazelProject(APP);
  const { project } = rig;
  const own = Deno.readTextFileSync(project.path(".bazelrc"));
  const lines = {
    "startup --gone_option": /Unknown startup option.*gone_option/,
    "import %workspace%/nope.bazelrc": /nope\.bazelrc/,
    "build --gone_flag": /gone_flag/,
    "build --config=nope": /'nope' is not defined/,
  };
  for (const [line, message] of Object.entries(lines)) {
    project.write({ ".bazelrc": `${own}${line}\n` });
    const { status, error } = imageOf(await project.json(["build"], 1), "app");
    assertEquals(status, "failed");
    assertMatch(error?.message ?? "", message);
  }
});
