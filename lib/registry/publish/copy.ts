/** Copying published images from one registry to another, byte for byte. */

import { Fault } from "../../model/errors.ts";
import { parseManifest } from "../../oci/documents.ts";
import type { Descriptor } from "../../model/oci.ts";
import { annotationsOf, KEY_ANNOTATION, type Published, readTag } from "./lookup.ts";
import { putTagged, type Tagged, type Target } from "./target.ts";
import { untilKnown } from "./until_known.ts";

/** A copied image, and the images of its platforms where it is an index. */
export interface Copied {
  readonly top: Tagged;
  /** By key. */
  readonly children: ReadonlyMap<string, Tagged>;
}

/**
 * Copies what another registry holds under a key, with all its platforms.
 *
 * @throws {Fault} when something of it is gone.
 */
export async function copyPublished(
  key: string,
  found: Published,
  source: Target,
  target: Target,
): Promise<Copied> {
  const children = new Map<string, Tagged>();
  for (const child of found.index?.manifests ?? []) {
    const tagged = await copyChild(child, source, target);
    if (tagged !== undefined) children.set(tagged.key, tagged.child);
  }
  const { descriptor: { mediaType }, bytes } = found;
  const top = await untilKnown(target, async () => {
    if (found.manifest !== undefined) await copyBlobs(bytes, source, target);
    return await putTagged(target, { key, mediaType, bytes }, "copied", false);
  });
  return { top, children };
}

/** Copies a manifest that an index names; one with a key gets its content tag too. */
async function copyChild(
  { digest, mediaType }: Descriptor,
  source: Target,
  target: Target,
): Promise<{ readonly key: string; readonly child: Tagged } | undefined> {
  const published = await readTag(source.client, source.repository, digest);
  if (published?.manifest === undefined) {
    throw new Fault(`The image's manifest ${digest} is gone`, {
      where: `${source.client.host}/${source.repository}`,
      next: "push it there again, or push with --force",
    });
  }
  const { bytes } = published;
  await untilKnown(target, async () => {
    await copyBlobs(bytes, source, target);
    // The index names it by digest, whatever its content tag stands for.
    await target.client.putManifest(target.repository, digest, mediaType, bytes);
  });
  const key = annotationsOf(published)[KEY_ANNOTATION];
  if (key === undefined) return undefined;
  return { key, child: await putTagged(target, { key, mediaType, bytes }, "copied", false) };
}

async function copyBlobs(bytes: Uint8Array, source: Target, target: Target): Promise<void> {
  const { config, layers } = parseManifest(bytes, source.repository);
  const from = source.client.host === target.client.host ? [source.repository] : [];
  await Promise.all([...layers, config].map((descriptor) =>
    target.blobs.bring(
      target.repository,
      descriptor,
      () => source.client.blob(source.repository, descriptor),
      from,
    )
  ));
}
