/** The registry's image under a key is the one: where the local one differs, it gives way. */

import type { Subject } from "../../model/events.ts";
import type { ImageRecord } from "../../store/records.ts";
import type { Outcome } from "../results.ts";
import type { Session } from "../session.ts";
import type { Settled } from "../settled.ts";
import type { PublishedContent } from "./publish.ts";

/** What adopting changed. */
export interface Adoption {
  /** With the adopted images in place of the local ones. */
  readonly outcome: Outcome;
  /** Something that was settled needs an adopted image. */
  readonly touchesOthers: boolean;
}

/** Lets the published images replace local ones that differ, in the records and in the outcome. */
export function adopt(
  session: Session,
  published: readonly PublishedContent[],
  outcome: Outcome,
): Adoption {
  const { records, graph } = session.circumstances;
  const adopted = new Map<Subject, ImageRecord>();
  for (const { content, parts, target: { client, repository } } of published) {
    for (const { node: { id, platform }, record } of parts) {
      const found = content.parts.get(platform)?.published;
      if (found?.manifest === undefined) continue;
      if (found.manifest.config.digest === record.imageId) continue;
      const { layers: _layers, verdict: _verdict, ...kept } = current(outcome, id) ?? record;
      if (kept.imageId === found.manifest.config.digest) continue;
      const replacement = {
        ...kept,
        imageId: found.manifest.config.digest,
        manifest: found.descriptor,
        remote: { host: client.host, repository },
        at: Date.now(),
      };
      records.putImage(replacement);
      adopted.set(id, replacement);
      session.notice("The registry holds another image under this key; it is adopted", id);
    }
  }
  const settled = outcome.settled.map((each): Settled => {
    const record = adopted.get(each.node.id);
    return record === undefined ? each : { ...each, status: "remote", record } as Settled;
  });
  const wanted = new Set(outcome.settled.map((each) => each.node.id));
  const touchesOthers = graph.dependents(adopted.keys())
    .some((id) => wanted.has(id) && !adopted.has(id));
  return { outcome: { ...outcome, settled }, touchesOthers };
}

/** What was settled again counts where it came to another key; the rest stays as it was told. */
export function mergeOutcomes(before: Outcome, after: Outcome): Outcome {
  const known = new Map(before.settled.map((each) => [each.node.id, each]));
  const indexes = new Map(before.indexes.map((each) => [each.name, each]));
  return {
    settled: after.settled.map((each) => {
      const former = known.get(each.node.id);
      return former !== undefined && former.key === each.key ? former : each;
    }),
    indexes: after.indexes.map((each) => {
      const former = indexes.get(each.name);
      return former !== undefined && former.key === each.key ? former : each;
    }),
  };
}

function current({ settled }: Outcome, id: Subject): ImageRecord | undefined {
  const found = settled.find((each) => each.node.id === id);
  return found !== undefined && "record" in found ? found.record : undefined;
}
