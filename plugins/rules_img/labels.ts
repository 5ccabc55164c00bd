/** Labels of the recipe: they go into Bazel's config, which makes it another image. */

import type { ImageSource, Layer } from "../../lib/model/image.ts";
import type { ImageConfig, Manifest } from "../../lib/model/oci.ts";
import { encodeConfig, encodeManifest } from "../../lib/oci/documents.ts";
import { digestOfHex } from "../../lib/model/digest.ts";
import { hashBytes } from "../../lib/oci/hash.ts";

/** The same image with more labels; the recipe's win. */
export async function withLabels(
  config: ImageConfig,
  manifest: Manifest,
  layers: readonly Layer[],
  labels: Readonly<Record<string, string>>,
): Promise<ImageSource> {
  const inner = { ...config.config, Labels: { ...config.config?.Labels, ...labels } };
  const bytes = encodeConfig({ ...config, config: inner }, true);
  // What the descriptor says of the bytes themselves holds no longer.
  const { urls: _urls, data: _data, ...described } = manifest.config;
  const descriptor = {
    ...described,
    digest: digestOfHex(await hashBytes(bytes)),
    size: bytes.length,
  };
  return {
    config: bytes,
    manifest: encodeManifest({ ...manifest, config: descriptor }, true),
    layers,
  };
}
