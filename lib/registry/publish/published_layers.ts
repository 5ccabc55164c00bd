/** Which layers a tag's images have: their configs list diff IDs, their manifests the blobs. */

import type { Digest } from "../../model/digest.ts";
import { Fault } from "../../model/errors.ts";
import type { Descriptor, Manifest } from "../../model/oci.ts";
import { parseConfig } from "../../oci/documents.ts";
import type { RegistryClient } from "../client.ts";
import { readTag } from "./lookup.ts";

/**
 * Diff ID → blob of every layer of a tag's images. What cannot be read as an image has none: whoever
 * pushed it, and whatever it is, our own images do not hang on it.
 */
export async function publishedLayers(
  client: RegistryClient,
  repository: string,
  tag: string,
): Promise<Map<Digest, Descriptor>> {
  const layers = new Map<Digest, Descriptor>();
  try {
    for await (const manifest of manifestsOf(client, repository, tag)) {
      const config = await client.smallBlob(repository, manifest.config);
      const diffIds = parseConfig(config, `${repository}:${tag}`).rootfs.diff_ids;
      if (diffIds.length !== manifest.layers.length) continue;
      manifest.layers.forEach((descriptor, at) => layers.set(diffIds[at]!, descriptor));
    }
  } catch (error) {
    if (!(error instanceof Fault) || error.kind === "interrupted") throw error;
  }
  return layers;
}

async function* manifestsOf(
  client: RegistryClient,
  repository: string,
  tag: string,
): AsyncGenerator<Manifest> {
  const published = await readTag(client, repository, tag);
  if (published?.manifest !== undefined) yield published.manifest;
  for (const child of published?.index?.manifests ?? []) {
    const found = await readTag(client, repository, child.digest);
    if (found?.manifest !== undefined) yield found.manifest;
  }
}
