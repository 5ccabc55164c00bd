/** The flywheel's workspace as a project, with a Bazel of its own whose every start is counted. */

import { type BazelHome, bazelHome } from "../support/real/bazel.ts";
import { runTool } from "../support/real/program.ts";
import { TestProject } from "../support/project.ts";

/** Absolute path of the Bazel that tests start: Debian's, or another that a variable names. */
export const BAZEL: string = Deno.env.get("IMAGES_TEST_BAZEL") ?? "/usr/bin/bazel";

/** A project that is a Bazel workspace. */
export interface BazelProject extends AsyncDisposable {
  readonly project: TestProject;
  readonly bazel: BazelHome;
  /** Runs Bazel as a user would; these starts do not count. */
  run(...args: readonly string[]): Promise<string>;
  /**
   * Commands of Bazel that `images` has started, e.g. `query`, since this was last asked; without
   * those that only let Bazel write its lock, which old versions have not.
   */
  started(): string[];
}

/** Copies the fixture; `body` is what its images.ts defines. */
export async function bazelProject(body: string): Promise<BazelProject> {
  const project = await TestProject.resident();
  const source = new URL("../fixtures/flywheel/", import.meta.url).pathname;
  await runTool(["cp", "-r", "--no-preserve=timestamps", `${source}.`, project.root]);
  const bazel = await bazelHome();
  project.fakeTool("bazel", `exec ${BAZEL} "$@"`);
  Object.assign(project.env, bazel.env);
  project.define(body);
  let counted = 0;
  return {
    project,
    bazel,
    run: async (...args) => {
      const { stdout } = await runTool([BAZEL, ...args], {
        cwd: project.root,
        env: bazel.env,
      });
      return stdout;
    },
    started: () => {
      const all = project.starts("bazel").filter((args) => !args.includes(" --nobuild "))
        .map((args) => args.split(" ")[0]!);
      const fresh = all.slice(counted);
      counted = all.length;
      return fresh;
    },
    async [Symbol.asyncDispose]() {
      await bazel[Symbol.asyncDispose]();
      await project[Symbol.asyncDispose]();
    },
  };
}

/** Path of an output that Bazel has built by hand. */
export async function outputPath(rig: BazelProject, relative: string): Promise<string> {
  const bin = await rig.run("info", "bazel-bin");
  return `${bin.trim()}/${relative}`;
}

function nativeRules(...names: readonly string[]): string {
  return names.map((name) => `${name} = native.${name}\n`).join("");
}

/** Rules that declare Bazel's own toolchains, which it looks at with those of a workspace. */
export const STUBS = {
  workspace: `workspace(name = "flywheel")
local_repository(name = "rules_cc", path = "stubs/cc")
local_repository(name = "rules_java", path = "stubs/java")
`,
  files: {
    "stubs/cc/WORKSPACE": "",
    "stubs/cc/cc/BUILD": "",
    "stubs/cc/cc/defs.bzl": nativeRules("cc_library", "cc_toolchain", "cc_toolchain_suite"),
    "stubs/java/WORKSPACE": "",
    "stubs/java/java/BUILD": "",
    "stubs/java/java/defs.bzl": nativeRules("java_import", "java_runtime", "java_toolchain"),
  },
} as const;
