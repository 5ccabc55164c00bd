/** `images pin`: writes the digests of base images to images.lock. */

import { type Digest, shortDigest } from "../lib/model/digest.ts";
import { basesOfNodes } from "../lib/run/bases.ts";
import type { Session } from "../lib/run/session.ts";
import { Pins } from "../lib/store/pins.ts";
import type { CommonOptions } from "./options.ts";
import { printJson, settle } from "./run.ts";

/** Options of `pin`. */
export interface PinOptions extends CommonOptions {
  readonly update?: boolean | undefined;
}

/** A base that is pinned, and to what it was before. */
interface PinChange {
  readonly base: string;
  readonly from?: Digest;
  /** Undefined where nothing is based on it any more. */
  readonly to?: Digest;
}

/** Pins the bases of the targets; answers with the exit status. */
export async function pin(options: PinOptions, targets: readonly string[]): Promise<number> {
  let changes: PinChange[] = [];
  const { project, status } = await settle({ ...options, quiet: true }, {
    command: "pin",
    mode: "open",
    targets,
    all: false,
    then: async (session, outcome) => {
      changes = await changesOf(session, options.update ?? false, targets.length === 0);
      return outcome;
    },
  });
  if (changes.length > 0) {
    const pinned = new Map(Pins.read(project.root).digests);
    for (const { base, to } of changes) {
      if (to === undefined) pinned.delete(base);
      else pinned.set(base, to);
    }
    new Pins(pinned).write(project.root);
  }
  if (options.json) printJson(options, { schema: 1, command: "pin", ok: status === 0, changes });
  else if (!options.quiet) {
    for (const change of changes) console.error(describe(change));
    if (changes.length === 0) console.error(unchanged(Pins.read(project.root).digests.size));
  }
  return status;
}

/** @param all what is no base of anything any more is let go. */
async function changesOf(session: Session, update: boolean, all: boolean): Promise<PinChange[]> {
  const { pins, graph } = session.circumstances;
  const bases = await basesOfNodes(session, graph.closure(session.targets.ids));
  const changes: PinChange[] = [];
  for (const base of [...bases.keys()].sort()) {
    const from = pins.get(base);
    if (base.includes("@") || (from !== undefined && !update)) continue;
    const to = await session.registries.resolveBase(base);
    if (to !== from) changes.push({ base, ...(from === undefined ? {} : { from }), to });
  }
  const left = all ? [...pins].filter(([base]) => !bases.has(base)) : [];
  return [...changes, ...left.map(([base, from]) => ({ base, from }))];
}

function unchanged(pinned: number): string {
  return pinned === 0 ? "no image has a base to pin" : "every base is pinned to what it was";
}

function describe({ base, from, to }: PinChange): string {
  if (to === undefined) return `${base} is no base any more`;
  return `${base} ${from === undefined ? "" : `${shortDigest(from)} → `}${shortDigest(to)}`;
}
