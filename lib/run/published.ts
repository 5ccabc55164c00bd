/** What a registry holds of the targets, without building anything. */

import { Fault } from "../model/errors.ts";
import type { Image } from "../model/recipe.ts";
import { isAllowed, repositoryIn } from "../registry/publish/destination.ts";
import { type Published, readTag } from "../registry/publish/lookup.ts";
import { indexKey } from "./indexes.ts";
import type { NamedRegistry } from "./registry_access.ts";
import type { Outcome } from "./results.ts";
import type { Session } from "./session.ts";
import type { SettledImage } from "./settled.ts";

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
  { registry }: NamedRegistry,
): Promise<Published | undefined> {
  const parts = outcome.settled.filter((each) =>
    each.node.type === "image" && each.node.image === image
  ) as SettledImage[];
  const keys = parts.flatMap(({ node, key }) => key === undefined ? [] : [[node.platform, key]]);
  if (keys.length === 0 || keys.length < parts.length) return undefined;
  const key = keys.length === 1 ? keys[0]![1]! : await indexKey(Object.fromEntries(keys));
  return await session.registries.published(registry, image, key);
}

/** The images among the targets, each once. */
export function targetImages(session: Session): Image[] {
  const { targets, circumstances: { graph } } = session;
  const nodes = targets.ids.map((id) => graph.node(id));
  return [...new Set(nodes.flatMap((node) => node.type === "image" ? [node.image] : []))];
}
