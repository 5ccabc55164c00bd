/** Moving mutable tags: forward only, and after all content is there. */

import type { DestinationResult } from "../../model/result.ts";
import { unlessDenied } from "../faults.ts";
import type { Ancestry } from "./git_facts.ts";
import { annotationsOf, type Published, readTag } from "./lookup.ts";
import { referenceOf, type Target } from "./target.ts";

/** What decides whether a tag moves. */
export interface MovePolicy {
  /** Our commit, where there is one. */
  readonly revision: () => Promise<string | undefined>;
  /** Moves it whatever it stands for now. */
  readonly force: boolean;
  /** Only says what would be done. */
  readonly dryRun: boolean;
  /** How another commit stands to ours. */
  readonly ancestry: (candidate: string, revision: string) => Promise<Ancestry>;
  /** Tells people what is no failure. */
  readonly notice: (message: string) => void;
}

/**
 * Lets a tag stand for a manifest, unless what it stands for now is newer.
 *
 * @param top undefined in a dry run, of what is not there yet.
 */
export async function moveTag(
  target: Target,
  tag: string,
  top: Published | undefined,
  policy: MovePolicy,
): Promise<DestinationResult> {
  const { client, repository, registry } = target;
  const reference = referenceOf(target, tag);
  const present = await unlessDenied(readTag(client, repository, tag));
  if (top !== undefined && present?.descriptor.digest === top.descriptor.digest) {
    return { registry, reference, digest: top.descriptor.digest, status: "current" };
  }
  const newer = present === undefined ? undefined : await whyStay(present, reference, policy);
  if (present !== undefined && newer !== undefined) {
    const { digest } = present.descriptor;
    return { registry, reference, digest, status: "skipped", detail: newer };
  }
  if (top === undefined) return { registry, reference, status: "retagged" };
  const { digest, mediaType } = top.descriptor;
  if (!policy.dryRun) await client.putManifest(repository, tag, mediaType, top.bytes);
  return { registry, reference, digest, status: "retagged" };
}

/** Why a tag must stay, if it must. */
async function whyStay(
  present: Published,
  reference: string,
  policy: MovePolicy,
): Promise<string | undefined> {
  if (policy.force) return undefined;
  const theirs = annotationsOf(present)["org.opencontainers.image.revision"];
  const ours = await policy.revision();
  if (theirs === undefined || ours === undefined) return undefined;
  const ancestry = await policy.ancestry(theirs, ours);
  if (ancestry === "unknown") {
    const why = `it is not known whether its commit ${short(theirs)} is newer than ours`;
    policy.notice(`${reference} ${policy.dryRun ? "would move" : "moves"}, though ${why}`);
  }
  if (ancestry !== "descendant") return undefined;
  const why = `it stands for ${short(theirs)}, which is newer than our ${short(ours)}`;
  policy.notice(`${reference} stays: ${why}; --force moves it`);
  return why;
}

function short(revision: string): string {
  return revision.slice(0, 12);
}
