/** `images affected --since REF`: the names that a change can touch; a superset. */

import type { ImageResult, TaskResult } from "../lib/model/result.ts";
import { type Affected, affectedBy } from "../lib/plan/affected.ts";
import { changesSince } from "../lib/plan/changes.ts";
import type { ImageNode, TaskNode } from "../lib/plan/graph.ts";
import { imageResult, taskResult } from "../lib/run/results.ts";
import { Session } from "../lib/run/session.ts";
import { type CommonOptions, runSettings } from "./options.ts";
import { openProject, printJson } from "./run.ts";
import { print } from "./print.ts";

/** Options of `affected`. */
export interface AffectedOptions extends CommonOptions {
  readonly since: string;
}

/** Prints a name a line; answers with the exit status. */
export async function affected(options: AffectedOptions): Promise<number> {
  const begun = performance.now();
  const project = await openProject(options);
  const changes = await changesSince(project.root, options.since);
  const { signal } = new AbortController();
  const everything = { targets: [], all: true };
  const session = new Session(project, everything, runSettings(options), () => {}, signal);
  const { circumstances: c } = session;
  const found = changes.known
    ? await affectedBy(c, changes.paths)
    : [...c.graph.nodes.values()].map((node): Affected => ({
      node,
      reasons: [{ kind: "input-changed", detail: changes.why }],
    }));
  const images: ImageResult[] = [];
  const tasks: TaskResult[] = [];
  for (const { node, reasons } of found) {
    if (node.type === "image") {
      images.push(imageResult({ node: node as ImageNode, reasons, ms: 0 }));
    } else tasks.push(taskResult({ node: node as TaskNode, reasons, ms: 0 }));
  }
  if (options.json) {
    printJson(options, {
      schema: 1,
      command: "affected",
      ok: true,
      since: options.since,
      ...(changes.known
        ? { commit: changes.commit, changed: changes.paths }
        : { unknown: changes.why }),
      images,
      tasks,
      totals: { affected: found.length },
      ms: Math.round(performance.now() - begun),
    });
    return 0;
  }
  if (!changes.known && !options.quiet) {
    console.error(`note: ${changes.why}; so everything may have changed`);
  }
  const names = new Set(found.map(({ node }) => node.type === "image" ? node.image.name : node.id));
  for (const name of names) print(name);
  return 0;
}
