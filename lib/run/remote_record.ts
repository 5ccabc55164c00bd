/** A record of what a registry holds: no blob of it need be here. */

import type { Manifest } from "../model/oci.ts";
import type { ImageEvaluation } from "../plan/evaluate_image.ts";
import { type NamedRegistry, repositoryIn } from "../registry/publish/destination.ts";
import { type Published, VERDICT_ANNOTATION } from "../registry/publish/lookup.ts";
import { recordable } from "../plan/remotes.ts";
import type { ImageRecord } from "../store/records.ts";

/** The record of an image that was found under its key. */
export function remoteRecord(
  evaluation: ImageEvaluation,
  { registry }: NamedRegistry,
  { descriptor }: Published,
  { config, annotations }: Manifest,
): ImageRecord {
  const { prepared, key, parts, reasons } = evaluation;
  const { node: { image, platform }, tree, guard, recipe, reads, description } = prepared;
  const verdict = annotations?.[VERDICT_ANNOTATION];
  return {
    schema: 1,
    name: image.name,
    platform,
    key,
    parts,
    tree,
    ...(guard === undefined ? {} : { guard }),
    description: { recipe, reads, value: recordable(description) },
    imageId: config.digest,
    manifest: descriptor,
    remote: { host: registry.host, repository: repositoryIn(registry, image) },
    ...(verdict === undefined ? {} : { verdict }),
    reasons,
    ms: 0,
    at: Date.now(),
  };
}
