/** What a registry holds of the targets, without building anything. */

import { Fault, renderPlace } from "../model/errors.ts";
import type { Image } from "../model/recipe.ts";
import { isAllowed, type NamedRegistry, repositoryIn } from "../registry/publish/destination.ts";
import { type Published, readTag } from "../registry/publish/lookup.ts";
import { isNoteTag } from "../registry/publish/tag_notes.ts";
import { topKeyOf } from "./indexes.ts";
import type { Outcome } from "./results.ts";
import type { Session } from "./session.ts";
import { isKeyed, type SettledImage } from "./settled.ts";

/** An image in a registry. */
export interface PublishedImage {
  readonly image: Image;
  /** `host/repository`. */
  readonly repository: string;
  readonly published: Published;
}

/**
 * Finds one image in a registry.
 *
 * @param tag a tag, or undefined for the content tag of what images.ts describes now.
 * @throws {Fault} when it is not there.
 */
export async function findPublished(
  session: Session,
  outcome: Outcome,
  image: Image,
  { name, registry }: NamedRegistry,
  tag: string | undefined,
): Promise<PublishedImage> {
  const path = repositoryIn(registry, image);
  const repository = `${registry.host}/${path}`;
  if (!isAllowed(image, name)) {
    throw new Fault(`Image "${image.name}" does not go to ${name}`, {
      where: image.name,
      next: "choose another registry with --to",
    });
  }
  const published = tag === undefined
    ? await byKey(session, outcome, image, { name, registry })
    : isNoteTag(tag)
    ? undefined
    : await readTag(await session.registries.client(registry.host), path, tag);
  if (published !== undefined) return { image, repository, published };
  throw new Fault(
    tag === undefined
      ? `What images.ts describes now is not published in ${repository}`
      : `There is no ${repository}:${tag}`,
    {
      where: image.name,
      next: tag === undefined
        ? `run \`images push ${image.name}\`, or name a tag with --from`
        : "name a tag that is there",
    },
  );
}

async function byKey(
  session: Session,
  outcome: Outcome,
  image: Image,
  named: NamedRegistry,
): Promise<Published | undefined> {
  const parts = partsOf(outcome, image);
  const fault = parts.find((part) => part.fault !== undefined)?.fault;
  if (fault !== undefined) throw fault;
  if (parts.length === 0) return undefined;
  if (!parts.every(isKeyed)) {
    refuseUnknown(session, outcome, image, parts);
    return undefined;
  }
  const key = await topKeyOf(parts);
  return await session.registries.published(named, image, key);
}

/** Without a need's key there is none; a need that could not be looked at says nothing about it. */
function refuseUnknown(
  session: Session,
  { settled }: Outcome,
  image: Image,
  parts: readonly SettledImage[],
): void {
  const { graph } = session.circumstances;
  const needs = new Set(graph.closure(parts.map(({ node }) => node.id)));
  const unknown = settled.find(({ node, fault }) => needs.has(node.id) && fault !== undefined);
  if (unknown?.fault === undefined) return;
  const { node: { id }, fault } = unknown;
  const place = fault.place === undefined ? "" : `${renderPlace(fault.place)}: `;
  throw new Fault(
    `Whether it is published is not known, since "${id}" is not: ${place}${fault.message}`,
    { where: image.name, ...(fault.next === undefined ? {} : { next: fault.next }), cause: fault },
  );
}

/** The images among the targets, each once. */
export function targetImages(session: Session): Image[] {
  const { targets, circumstances: { graph } } = session;
  const nodes = targets.ids.map((id) => graph.node(id));
  return [...new Set(nodes.flatMap((node) => node.type === "image" ? [node.image] : []))];
}

/** What became of each platform of an image. */
export function partsOf({ settled }: Outcome, image: Image): SettledImage[] {
  return settled.filter((each) =>
    each.node.type === "image" && each.node.image === image
  ) as SettledImage[];
}
