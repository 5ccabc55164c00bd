/** A stage as an image of its own: what an engine made of it, normalised, in the scratch folder. */

import type { Digest } from "../../../lib/model/digest.ts";
import type { Layer, LocalImage, OpenableLayer } from "../../../lib/model/image.ts";
import { type Descriptor, MediaType } from "../../../lib/model/oci.ts";
import type { BuildRequest } from "../../../lib/model/plugin.ts";
import { encodeManifest, parseConfig } from "../../../lib/oci/documents.ts";
import { Sha256, sha256 } from "../../../lib/oci/sha256.ts";
import { writeContent } from "../../../lib/util/write_all.ts";
import { normalise, type ResultBase } from "./normalise.ts";
import type { Replayed } from "./replayed.ts";
import type { EngineImage } from "./result.ts";

/**
 * Normalises a stage that an engine made.
 *
 * @param name how it is called in errors.
 * @param targets absolute paths that its RUNs mount something at.
 */
export async function stageImage(
  name: string,
  made: EngineImage,
  base: ResultBase | undefined,
  request: BuildRequest,
  targets: readonly string[],
  replayed: Replayed,
): Promise<LocalImage> {
  const { image, context } = request;
  const folder = await Deno.makeTempDir({ dir: await context.scratch(), prefix: "stage-" });
  const files = new Map<Digest, string>();
  const writeBlob = async (mediaType: string, content: AsyncIterable<Uint8Array>) => {
    const path = `${folder}/${files.size}`;
    const descriptor = await writeHashed(path, mediaType, content);
    files.set(descriptor.digest, path);
    return descriptor;
  };
  const { config, layers } = await normalise(
    made,
    base,
    {
      ...request,
      // The recipe's labels are for the image, not for its stages.
      image: { ...image, common: { ...image.common, labels: {} } },
      context: { ...context, writeBlob },
    },
    targets,
    replayed,
  );
  const imageId = sha256(config);
  const manifest = encodeManifest({
    config: { mediaType: MediaType.config, digest: imageId, size: config.length },
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return {
    name,
    platform: context.platform,
    imageId,
    manifest,
    manifestDigest: sha256(manifest),
    manifestMediaType: MediaType.manifest,
    configBytes: config,
    config: parseConfig(config, name),
    layers: layers.map((layer, at) => openable(layer, at, files, base)),
  };
}

function openable(
  layer: Layer,
  at: number,
  files: ReadonlyMap<Digest, string>,
  base: ResultBase | undefined,
): OpenableLayer {
  const path = files.get(layer.descriptor.digest);
  if (path === undefined) return { ...base!.image.layers[at]!, ...layer };
  return { ...layer, open: async () => (await Deno.open(path)).readable };
}

async function writeHashed(
  path: string,
  mediaType: string,
  content: AsyncIterable<Uint8Array>,
): Promise<Descriptor> {
  const hash = new Sha256();
  let size = 0;
  const measured = async function* () {
    for await (const chunk of content) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  await writeContent(path, measured(), { createNew: true });
  return { mediaType, digest: hash.digest(), size };
}
