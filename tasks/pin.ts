/** `images pin`: writes the digests of base images to images.lock. */

import type { Digest } from "../lib/model/digest.ts";
import { shortDigest } from "../lib/model/digest.ts";
import { Pins } from "../lib/store/pins.ts";
import type { CommonOptions } from "./options.ts";
import { printJson, settle } from "./run.ts";

/** Options of `pin`. */
export interface PinOptions extends CommonOptions {
  readonly update?: boolean;
}

/** Pins the bases of the targets; answers with the exit status. */
export async function pin(options: PinOptions, targets: readonly string[]): Promise<number> {
  const references = new Set<string>();
  const changes: { base: string; from?: Digest; to: Digest }[] = [];
  const { project, status } = await settle({ ...options, quiet: true }, {
    command: "pin",
    mode: "plan",
    targets,
    all: false,
    examine: (_session, { description }) => {
      for (const base of description.bases ?? []) if (!base.includes("@")) references.add(base);
    },
    then: async (session, outcome) => {
      const { pins } = session.circumstances;
      for (const base of [...references].sort()) {
        const pinned = pins.get(base);
        if (pinned !== undefined && !options.update) continue;
        const to = await session.registries.resolveBase(base);
        if (to !== pinned) {
          changes.push({ base, ...(pinned === undefined ? {} : { from: pinned }), to });
        }
      }
      return outcome;
    },
  });
  const { digests } = Pins.read(project.root);
  const pinned = new Map(digests);
  for (const { base, to } of changes) pinned.set(base, to);
  // Asked for everything, what is no base any more goes.
  if (targets.length === 0) {
    for (const base of digests.keys()) if (!references.has(base)) pinned.delete(base);
  }
  const changed = changes.length > 0 || pinned.size !== digests.size;
  if (changed) new Pins(pinned).write(project.root);
  if (options.json) printJson(options, { schema: 1, command: "pin", ok: status === 0, changes });
  else if (!options.quiet) {
    for (const { base, from, to } of changes) {
      console.error(
        `${base} ${from === undefined ? "" : `${shortDigest(from)} → `}${shortDigest(to)}`,
      );
    }
    if (!changed) console.error("every base is pinned to what it was");
  }
  return status;
}
