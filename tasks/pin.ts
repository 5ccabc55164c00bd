/** `images pin`: writes the digests of base images and remote sources to images.lock. */

import { type Digest, shortDigest } from "../lib/model/digest.ts";
import type { SourceIdentity, SourceState } from "../lib/model/source.ts";
import { remotesOfNodes } from "../lib/run/bases.ts";
import type { Session } from "../lib/run/session.ts";
import { Pins } from "../lib/store/pins.ts";
import type { CommonOptions } from "./options.ts";
import { printJson, settle } from "./run.ts";

/** Options of `pin`. */
export interface PinOptions extends CommonOptions {
  readonly update?: boolean | undefined;
}

/** A base or source that is pinned, and to what it was before. */
type PinChange =
  & ({ readonly base: string } | { readonly source: string })
  & {
    readonly from?: SourceIdentity;
    /** Undefined where nothing names it any more. */
    readonly to?: SourceIdentity;
  };

/** What changes in images.lock, and what it holds afterwards. */
interface Pinned {
  readonly changes: readonly PinChange[];
  readonly pins: Pins;
}

/** Pins the bases of the targets; answers with the exit status. */
export async function pin(options: PinOptions, targets: readonly string[]): Promise<number> {
  let pinned: Pinned | undefined;
  const { project, status } = await settle({ ...options, quiet: true }, {
    command: "pin",
    mode: "open",
    targets,
    all: false,
    then: async (session, outcome) => {
      pinned = await pinnedBy(session, options.update ?? false, targets.length === 0);
      return outcome;
    },
  });
  const { changes = [], pins = Pins.read(project.root) } = pinned ?? {};
  // Validators may be others for the same content: the next check is cheaper with the present ones.
  if (changes.length > 0 || (options.update && pins.sources.size > 0)) pins.write(project.root);
  if (options.json) printJson(options, { schema: 1, command: "pin", ok: status === 0, changes });
  else if (!options.quiet) {
    for (const change of changes) console.error(describe(change));
    if (changes.length === 0) console.error(unchanged(pins.digests.size + pins.sources.size));
  }
  return status;
}

/** @param all what nothing names any more is let go. */
async function pinnedBy(session: Session, update: boolean, all: boolean): Promise<Pinned> {
  const { circumstances: { pins, pinnedSources, graph }, registries } = session;
  const named = await remotesOfNodes(session, graph.closure(session.targets.ids));
  const changes: PinChange[] = [];
  const bases = new Map<string, Digest>(pins);
  for (const base of [...named.bases.keys()].sort()) {
    const from = pins.get(base);
    if (base.includes("@") || (from !== undefined && !update)) continue;
    const to = await registries.resolveBase(base);
    bases.set(base, to);
    if (to !== from) changes.push({ base, ...(from === undefined ? {} : { from }), to });
  }
  const sources = new Map<string, SourceState>(pinnedSources);
  for (const name of [...named.sources.keys()].sort()) {
    const from = pinnedSources.get(name)?.identity;
    if (from !== undefined && !update) continue;
    const state = await session.sources.resolve(named.sources.get(name)!.source);
    sources.set(name, state);
    const to = state.identity;
    if (to !== from) changes.push({ source: name, ...(from === undefined ? {} : { from }), to });
  }
  if (all) {
    for (const [base, from] of pins) {
      if (!named.bases.has(base) && bases.delete(base)) changes.push({ base, from });
    }
    for (const [source, { identity: from }] of pinnedSources) {
      if (!named.sources.has(source) && sources.delete(source)) changes.push({ source, from });
    }
  }
  return { changes, pins: new Pins(bases, sources) };
}

function unchanged(pinned: number): string {
  return pinned === 0 ? "no image has a base to pin" : "every base is pinned to what it was";
}

function describe(change: PinChange): string {
  const { from, to } = change;
  const name = "base" in change ? change.base : change.source;
  if (to === undefined) {
    return `${name} is no ${"base" in change ? "base" : "source"} any more`;
  }
  return `${name} ${from === undefined ? "" : `${shortDigest(from)} → `}${shortDigest(to)}`;
}
