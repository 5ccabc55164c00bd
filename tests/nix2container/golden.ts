/** The golden cases: what the real nix2container made of small trees. */

import { fromFileUrl } from "@std/path";
import { runTool } from "../support/real/program.ts";
import { type TempFolder, tempFolder } from "../support/real/temp_folder.ts";

const FIXTURES = fromFileUrl(new URL("../fixtures/nix2container/", import.meta.url));

/** Names of all cases. */
export const CASES: readonly string[] = [...Deno.readDirSync(FIXTURES)]
  .filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();

/** Copies a case's files into a folder and makes its tree there. */
export async function layOut(name: string, folder: string): Promise<void> {
  await runTool(["cp", "-r", `${FIXTURES}${name}/.`, folder]);
  const made = [...Deno.readDirSync(folder)].some((entry) => entry.name === "make-tree.sh");
  if (made) await runTool(["bash", "make-tree.sh"], { cwd: folder });
}

/** A copy of a case with its tree. */
export async function goldenCase(name: string): Promise<TempFolder> {
  const folder = await tempFolder("golden");
  await layOut(name, folder.path);
  return folder;
}
