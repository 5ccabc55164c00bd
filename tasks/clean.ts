/** `images clean`: removes everything this project's state holds; the folder stays, ignored by git. */

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
  const removed = PARTS.filter((part) => exists(`${folder}/${part}`));
  for (const part of removed) Deno.removeSync(`${folder}/${part}`, { recursive: true });
  if (options.json) printJson(options, { schema: 1, command: "clean", ok: true, folder, removed });
  else if (!options.quiet) {
    console.error(removed.length === 0 ? "nothing to remove" : `emptied ${folder}`);
  }
  return 0;
}
