/**
 * `images clean`: removes what this project's state holds. The folder stays, ignored by git, and the
 * locks in it: a run that waits for one would have another one than who comes later.
 */

import { exists, State } from "../lib/store/state.ts";
import type { CommonOptions } from "./options.ts";
import { alone, openProject, printJson } from "./run.ts";

/** What the state folder consists of; anything else is not ours to remove. */
const PARTS = [
  ...["oci", "records", "trees", "outputs", "cache", "logs", "tmp", "index"],
  ...["last-run.json", "report.html"],
];

/** Removes the state; answers with the exit status. */
export async function clean(options: CommonOptions): Promise<number> {
  const project = await openProject(options);
  const state = State.of(project.root);
  const { folder } = state;
  const removed = exists(folder) ? await alone(state, () => remove(folder)) : [];
  if (options.json) printJson(options, { schema: 1, command: "clean", ok: true, folder, removed });
  else if (!options.quiet) {
    console.error(removed.length === 0 ? "nothing to remove" : `emptied ${folder}`);
  }
  return 0;
}

function remove(folder: string): string[] {
  const indexes = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.startsWith("index-"));
  const removed = [...PARTS, ...indexes].filter((part) => exists(`${folder}/${part}`));
  for (const part of removed) Deno.removeSync(`${folder}/${part}`, { recursive: true });
  return removed;
}
