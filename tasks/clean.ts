/** `images clean`: removes everything this project's state holds. */

import { usageFault } from "../lib/model/errors.ts";
import { exists, State } from "../lib/store/state.ts";
import type { CommonOptions } from "./options.ts";
import { openProject, printJson } from "./run.ts";

/** What the state folder consists of; anything else is not ours to remove. */
const PARTS = [
  ...["oci", "records", "trees", "outputs", "cache", "logs", "locks", "tmp", "index"],
  ...["last-run.json", "report.html"],
];

/** Removes the state; answers with the exit status. */
export async function clean(options: CommonOptions): Promise<number> {
  const project = await openProject(options);
  const { folder } = State.of(project.root);
  if (folder === project.root || project.root.startsWith(`${folder}/`)) {
    throw usageFault("IMAGES_STATE_DIR names a folder that holds the project itself", {
      where: folder,
      next: "let it name a folder of its own",
    });
  }
  const removed = PARTS.filter((part) => exists(`${folder}/${part}`));
  for (const part of removed) Deno.removeSync(`${folder}/${part}`, { recursive: true });
  if (options.json) printJson(options, { schema: 1, command: "clean", ok: true, folder, removed });
  else if (!options.quiet) {
    console.error(removed.length === 0 ? "nothing to remove" : `removed ${folder}`);
  }
  return 0;
}
