/** Copies of fixtures that a test may change. */

import { runTool } from "./program.ts";
import { type TempFolder, tempFolder } from "./temp_folder.ts";

/** Copies a folder of tests/fixtures, without what builds by hand may have left in it. */
export async function copyFixture(name: string): Promise<TempFolder> {
  const source = new URL(`../../fixtures/${name}/`, import.meta.url).pathname;
  const folder = await tempFolder(name);
  await runTool(["cp", "-r", "--no-preserve=timestamps", `${source}.`, folder.path]);
  for (const left of ["result", "bazel-bin", "bazel-out", "bazel-testlogs"]) {
    await Deno.remove(`${folder.path}/${left}`).catch(() => {});
  }
  return folder;
}

/** Makes a folder a git repository with everything in it committed. */
export async function commitAll(path: string): Promise<void> {
  const git = ["git", "-C", path, "-c", "user.name=test", "-c", "user.email=test@example.com"];
  await runTool([...git, "init", "-q", "-b", "main"]);
  await runTool([...git, "add", "-A"]);
  await runTool([...git, "commit", "-q", "-m", "fixture"]);
}
