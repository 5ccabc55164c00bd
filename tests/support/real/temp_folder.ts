/** A folder that a test has to itself, removed with everything mounted in it. */

import { runTool } from "./program.ts";

/** A temporary folder. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes a folder; disposing of it unmounts and removes all that is in it, read-only or not. */
export async function tempFolder(prefix: string): Promise<TempFolder> {
  const path = await Deno.makeTempDir({ prefix: `images-${prefix}-` });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await unmountBelow(path);
      await runTool(["chmod", "-R", "u+rwX", path], { allowFailure: true });
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** Unmounts what container tools have mounted below a folder, the deepest first. */
async function unmountBelow(path: string): Promise<void> {
  const mounts = (await Deno.readTextFile("/proc/self/mounts"))
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((mount) => mount.startsWith(`${path}/`));
  for (const mount of mounts.reverse()) {
    await runTool(["umount", "--lazy", mount], { allowFailure: true });
  }
}
