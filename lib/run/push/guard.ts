/** What must not go to a destination is refused before anything is built. */

import { usageFault } from "../../model/errors.ts";
import type { Image } from "../../model/recipe.ts";
import { isAllowed } from "../../registry/publish/destination.ts";
import { checkTags } from "../../registry/publish/tags.ts";
import { countsAsPublic, refusePrivateNeeds } from "../../registry/publish/visibility.ts";
import { describeImage } from "../../plan/evaluate_image.ts";
import type { Node } from "../../plan/graph.ts";
import { targetImages } from "../published.ts";
import type { Session } from "../session.ts";
import { refusePrivateBase } from "./private_bases.ts";
import { describedBases, type UsedBase } from "./remote_bases.ts";
import type { PushRequest } from "./request.ts";

/**
 * Refuses what must not be pushed.
 *
 * @throws {Fault} that names the image, and what it must not be made of or where it may go.
 */
export async function refuseBeforeBuilding(session: Session, request: PushRequest): Promise<void> {
  const { project, graph } = session.circumstances;
  const { destination } = request;
  checkTags(request.tags);
  for (const image of targetImages(session)) {
    if (!isAllowed(image, destination.name)) {
      if (request.named) throw notAllowed(image, destination.name);
      continue;
    }
    if (!countsAsPublic(destination)) continue;
    const nodes = graph.closure(graph.named(image.name)).map((id) => graph.node(id));
    const needs = nodes.flatMap((node) =>
      node.type === "image" && node.image !== image ? [node.image] : []
    );
    refusePrivateNeeds(project, image, needs, destination);
    for (const node of nodes) {
      for (const base of await knownBases(session, node)) {
        await refusePrivateBase(session, image, base, destination, askNobody, "usage");
      }
    }
  }
}

/** Before anything is built it is not known what will be written. */
const askNobody = () => Promise.resolve(false);

/** The bases that are known by now; why an image cannot be described is said when it is settled. */
async function knownBases(session: Session, node: Node): Promise<UsedBase[]> {
  if (node.type !== "image") return [];
  const { circumstances: c } = session;
  try {
    const { description, record } = await describeImage(c, node);
    const digests = { ...record?.parts.bases, ...Object.fromEntries(c.pins) };
    return describedBases(description, digests).map((base) => ({ ...base, user: node.image }));
  } catch {
    return [];
  }
}

function notAllowed(image: Image, name: string) {
  return usageFault(
    `Image "${image.name}" does not go to ${name}, only to ${image.common.registries?.join(", ")}`,
    {
      ...(image.place === undefined ? {} : { place: image.place }),
      next: "push it with --to one of them, or widen `registries` in images.ts",
    },
  );
}
