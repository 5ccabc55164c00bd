/** The remote images that an image's layers come from, as far as anything here knows of them. */

import type { Digest } from "../../model/digest.ts";
import type { Description, RemoteBase } from "../../model/plugin.ts";
import type { Image } from "../../model/recipe.ts";
import { formatReference, parseReference } from "../../model/reference.ts";
import { repositoryIn } from "../../registry/publish/destination.ts";
import type { ImageRecord } from "../../store/records.ts";
import type { Session } from "../session.ts";
import type { SettledImage } from "../settled.ts";

/** A remote base, and the image that is directly made of it. */
export interface UsedBase extends RemoteBase {
  readonly user: Image;
}

/** The bases that a description names: those of its key, and those that its tool pulls. */
export function describedBases(
  { bases = [], remoteBases = [] }: Description,
  digests: Readonly<Record<string, Digest>> = {},
): RemoteBase[] {
  const named = bases.map((base) => {
    const reference = parseReference(base);
    const digest = reference.digest ?? digests[base];
    const known = digest === undefined ? reference : { ...reference, digest };
    return { references: [formatReference(known)] };
  });
  return [...named, ...remoteBases];
}

/**
 * The bases of settled images: described, pulled by their tools, or named by places of layers.
 *
 * @param askTools whether plugins are asked too, which may take its time.
 */
export async function basesOfSettled(
  session: Session,
  settled: readonly SettledImage[],
  askTools: () => Promise<boolean>,
): Promise<UsedBase[]> {
  const own = ownRepositories(session, settled.map(({ node }) => node.image));
  const bases = new Map<string, UsedBase>();
  for (const each of settled) {
    const { node: { image }, record, description } = each;
    const digests = record?.parts.bases ?? {};
    const found = [
      ...description === undefined ? [] : describedBases(description, digests),
      ...record === undefined ? [] : describedBases(record.description.value, digests),
      ...await toolBases(each, askTools),
      ...record === undefined ? [] : layerBases(record, own),
    ];
    for (const base of found) {
      if (!isUsed(base, record)) continue;
      const id = `${image.name} ${base.references.join(" ")}`;
      if (!bases.has(id)) bases.set(id, { ...base, user: image });
    }
  }
  return [...bases.values()];
}

/** What only the tool can tell from the identity that it gave. */
export async function toolBases(
  { node: { image }, record, identity = record?.parts.identity }: SettledImage,
  askTools: () => Promise<boolean>,
): Promise<readonly RemoteBase[]> {
  if (identity === undefined) return [];
  const { remoteBases } = await image.plugin.load();
  if (remoteBases === undefined || !await askTools()) return [];
  return await remoteBases(image, identity);
}

/** Repositories from which layers of needed images may come: these are judged as needs. */
function ownRepositories(session: Session, images: readonly Image[]): ReadonlySet<string> {
  const { registries } = session.circumstances.project;
  return new Set(
    images.flatMap((image) =>
      [...registries.values()].map((registry) =>
        `${registry.host}/${repositoryIn(registry, image)}`
      )
    ),
  );
}

/** Layers that are to be had from a registry come from there, wherever they are by now. */
function layerBases({ layers = [] }: ImageRecord, own: ReadonlySet<string>): RemoteBase[] {
  return layers.flatMap(({ descriptor, diffId, places }) => {
    const references = places.flatMap((place) =>
      place.at === "registry" ? [`${place.host}/${place.repository}`] : []
    );
    if (references.length === 0 || references.some((each) => own.has(each))) return [];
    return [{ references, layers: [descriptor.digest, diffId] }];
  });
}

/** Whether an image has any layer of a base, as far as both are known. */
function isUsed({ layers = [] }: RemoteBase, record: ImageRecord | undefined): boolean {
  if (layers.length === 0 || record?.layers === undefined) return true;
  const own = new Set(record.layers.flatMap((each) => [each.descriptor.digest, each.diffId]));
  return layers.some((digest) => own.has(digest));
}
