/**
 * Base images that were pulled. Of one that was pulled "shallow" Bazel has the layers' descriptors,
 * the registry their bytes: layouts without them must be asked for with a setting of rules_img.
 */

import { type Digest, isDigest } from "../../lib/model/digest.ts";
import type { BlobPlace } from "../../lib/model/image.ts";
import type { RemoteBase } from "../../lib/model/plugin.ts";
import { DOCKER_HUB, formatReference, parseReference } from "../../lib/model/reference.ts";
import { parseLabel } from "./bazel/label.ts";
import type { PulledImage, Queried } from "./bazel/query.ts";
import type { Closure } from "./closure/closure.ts";

type RegistryPlace = BlobPlace & { readonly at: "registry" };

/** Digest of a layer that Bazel does not have → where it can be had. */
export type DescribedLayers = ReadonlyMap<Digest, readonly BlobPlace[]>;

/** The value that lets layouts be built in spite of missing layers. */
const CONSENT = "i_know_what_i_am_doing";

/** The layers among what a target is made from that are only described. */
export function describedLayers(queried: Queried, { labels }: Closure): DescribedLayers {
  const layers = new Map<Digest, BlobPlace[]>();
  for (const label of labels) {
    const { pulled } = queried.get(label) ?? {};
    if (pulled === undefined) continue;
    for (const digest of missingLayers(pulled)) {
      layers.set(digest, [...layers.get(digest) ?? [], ...placesOf(pulled)]);
    }
  }
  return layers;
}

/** The pulled images among what a target is made from, wherever their layers are by now. */
export function pulledBases(queried: Queried, { labels }: Closure): RemoteBase[] {
  return [...labels].flatMap((label) => {
    const { pulled } = queried.get(label) ?? {};
    if (pulled === undefined) return [];
    const { digest, documents } = pulled;
    const named = digest === undefined ? {} : { digest };
    return [{
      references: placesOf(pulled).map((place) =>
        formatReference({ host: place.host, repository: place.repository, ...named })
      ),
      layers: [...documents.values()].flatMap(layersIn),
    }];
  });
}

/** The flag for layouts without these layers; none where a target does not know the setting. */
export function shallowFlags(described: DescribedLayers, { labels }: Closure): string[] {
  if (described.size === 0) return [];
  const setting = [...labels].map((label) => parseLabel(label)).find((label) =>
    label?.name === "shallow_oci_layout"
  );
  if (setting === undefined) return [];
  const { repository, package: folder, name } = setting;
  // The canonical names of repositories have a character that others cannot have.
  const at = repository === ""
    ? ""
    : /[~+]/.test(repository)
    ? `@@${repository}`
    : `@${repository}`;
  return [`--${at}//${folder}:${name}=${CONSENT}`];
}

function missingLayers({ documents, files }: PulledImage): Digest[] {
  return [...documents.values()].flatMap(manifestLayers).filter((digest) => !files.has(digest));
}

/** Digests of layers: compressed in a manifest, uncompressed in a config. */
function layersIn(text: string): Digest[] {
  const { rootfs } = parsed(text) as { readonly rootfs?: { readonly diff_ids?: unknown } | null };
  const diffIds: unknown = rootfs?.diff_ids;
  return [...manifestLayers(text), ...(Array.isArray(diffIds) ? diffIds.filter(isDigest) : [])];
}

function manifestLayers(text: string): Digest[] {
  const { layers } = parsed(text);
  return (Array.isArray(layers) ? layers : []).map((layer) => layer?.digest).filter(isDigest);
}

function parsed(text: string): { readonly layers?: unknown } {
  try {
    return JSON.parse(text) as { readonly layers?: unknown } ?? {};
  } catch {
    return {};
  }
}

/** Without a registry rules_img pulls from Docker Hub. */
function placesOf({ registries, repository }: PulledImage): RegistryPlace[] {
  return (registries.length === 0 ? [DOCKER_HUB] : registries).map((registry) => {
    const { host, repository: path } = parseReference(`${registry}/${repository}`);
    return { at: "registry", host, repository: path };
  });
}
