/** Moving mutable tags: forward only, and after all content is there. */

import type { Digest } from "../../model/digest.ts";
import type { DestinationResult } from "../../model/result.ts";
import type { Descriptor } from "../../model/oci.ts";
import type { Ancestry } from "./git_facts.ts";
import { annotationsOf, readTag } from "./lookup.ts";
import type { Target } from "./content.ts";

/** What decides whether a tag moves. */
export interface MovePolicy {
  /** Our commit, where there is one. */
  readonly revision?: string;
  /** Moves it whatever it stands for now. */
  readonly force: boolean;
  /** Only says what would be done. */
  readonly dryRun: boolean;
  /** How another commit stands to ours. */
  readonly ancestry: (candidate: string, revision: string) => Promise<Ancestry>;
  /** Tells people what is no failure. */
  readonly notice: (message: string) => void;
}

/** Lets a tag stand for a manifest, unless what it stands for now is newer. */
export async function moveTag(
  target: Target,
  tag: string,
  top: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
  policy: MovePolicy,
): Promise<DestinationResult> {
  const { client, repository, registry } = target;
  const reference = `${client.host}/${repository}:${tag}`;
  const { digest, mediaType } = top.descriptor;
  const result = (status: DestinationResult["status"], held: Digest, detail?: string) => ({
    registry,
    reference,
    digest: held,
    status,
    ...(detail === undefined ? {} : { detail }),
  });
  const present = await readTag(client, repository, tag);
  if (present?.descriptor.digest === digest) return result("current", digest);
  if (present !== undefined && !policy.force) {
    const revision = annotationsOf(present)["org.opencontainers.image.revision"];
    const newer = await isNewer(revision, reference, policy);
    if (newer !== undefined) return result("skipped", present.descriptor.digest, newer);
  }
  if (!policy.dryRun) await client.putManifest(repository, tag, mediaType, top.bytes);
  return result("retagged", digest);
}

/** Why a tag must stay, if it must. */
async function isNewer(
  present: string | undefined,
  reference: string,
  policy: MovePolicy,
): Promise<string | undefined> {
  const { revision } = policy;
  if (present === undefined || revision === undefined) return undefined;
  const ancestry = await policy.ancestry(present, revision);
  if (ancestry === "unknown") {
    policy.notice(
      `${reference} is moved, though it is not known whether its commit ${
        short(present)
      } is newer than ours`,
    );
  }
  if (ancestry !== "descendant") return undefined;
  const why = `it stands for ${short(present)}, which is newer than our ${short(revision)}`;
  policy.notice(`${reference} stays: ${why}; --force moves it`);
  return why;
}

function short(revision: string): string {
  return revision.slice(0, 12);
}
