/** Names in the layout: each image whose blobs are all there has its own. */

import type { Descriptor } from "../model/oci.ts";
import type { Layout } from "../store/layout.ts";
import { hasBlobs, type ImageRecord } from "../store/records.ts";
import { topOf } from "./indexes.ts";
import type { Outcome } from "./results.ts";
import type { Session } from "./session.ts";

/** What a name stands for: what was recorded on each platform, and the manifest or index over it. */
interface Named {
  readonly parts: readonly ImageRecord[];
  readonly top: Descriptor;
}

/**
 * Makes names agree with what was settled, whatever has removed or moved them since; one whose blobs
 * are elsewhere has no name. Where all of them were lost, those of other images are made again from
 * their records. A run does this once: for each image it would take longer the more there are.
 */
export async function nameImages(session: Session, outcome: Outcome): Promise<void> {
  const { layout } = session.circumstances;
  const settled = await settledNames(session, outcome);
  await setNames(session, settled);
  if (layout.isRenewed) await setNames(session, await otherNames(session, settled));
}

async function settledNames(session: Session, outcome: Outcome): Promise<Map<string, Named>> {
  const { graph, layout } = session.circumstances;
  const byName = new Map<string, ImageRecord[]>();
  for (const each of outcome.settled) {
    if (!("record" in each) || each.record === undefined) continue;
    const { name } = each.record;
    byName.set(name, [...byName.get(name) ?? [], each.record]);
  }
  const indexes = new Map(outcome.indexes.map(({ name, local }) => [name, local]));
  const names = new Map<string, Named>();
  for (const [name, own] of byName) {
    if (own.length < graph.named(name).length) continue;
    const parts = withOtherPlatforms(session, name, own);
    names.set(name, { parts, top: indexes.get(name) ?? await topOf(layout, parts) });
  }
  return names;
}

/** A run for one platform leaves an image its index, as long as the others are here. */
function withOtherPlatforms(
  { settings: { platform }, circumstances: { project, records, layout } }: Session,
  name: string,
  own: readonly ImageRecord[],
): readonly ImageRecord[] {
  const platforms = project.images.get(name)?.common.platforms ?? [];
  if (platform === undefined || !platforms.includes(platform)) return own;
  const all = platforms.flatMap((each) =>
    own.find((part) => part.platform === each) ?? records.image(name, each) ?? []
  );
  return all.length === platforms.length && all.every((part) => isHere(layout, part)) ? all : own;
}

async function otherNames(
  session: Session,
  settled: ReadonlyMap<string, Named>,
): Promise<Map<string, Named>> {
  const { graph, layout, project, records } = session.circumstances;
  const names = new Map<string, Named>();
  for (const name of project.images.keys()) {
    const nodes = graph.named(name).map((id) => graph.node(id));
    const parts = nodes.flatMap((node) =>
      (node.type === "image" ? records.image(name, node.platform) : undefined) ?? []
    );
    if (settled.has(name) || parts.length < nodes.length) continue;
    names.set(name, { parts, top: await topOf(layout, parts) });
  }
  return names;
}

/** A record that another run has replaced meanwhile is named by that one. */
async function setNames(session: Session, names: ReadonlyMap<string, Named>): Promise<void> {
  const { layout, records } = session.circumstances;
  const changes = [...names].map(([name, { parts, top }]) =>
    [name, parts.every((part) => isHere(layout, part)) ? top : undefined] as const
  );
  await layout.setRefs(
    new Map(changes),
    (name) =>
      names.get(name)!.parts.every((part) =>
        records.latestImage(name, part.platform)?.manifest.digest === part.manifest.digest
      ),
  );
}

/** Of an image that was only met in a registry the layers are not known yet. */
function isHere(layout: Layout, record: ImageRecord): boolean {
  return record.layers !== undefined && hasBlobs(layout, record);
}
