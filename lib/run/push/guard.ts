/** What must not go to a destination is refused before anything is built. */

import { usageFault } from "../../model/errors.ts";
import type { Image } from "../../model/recipe.ts";
import { isAllowed } from "../../registry/publish/destination.ts";
import { checkTags } from "../../registry/publish/tags.ts";
import { refusePrivateBases, refusePrivateNeeds } from "../../registry/publish/visibility.ts";
import { basesOfNodes } from "../bases.ts";
import { targetImages } from "../published.ts";
import type { Session } from "../session.ts";
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
    if (destination.registry.visibility !== "public") continue;
    const nodes = graph.closure(graph.named(image.name)).map((id) => graph.node(id));
    const needs = nodes.flatMap((node) =>
      node.type === "image" && node.image !== image ? [node.image] : []
    );
    refusePrivateNeeds(project, image, needs, destination);
    for (const node of nodes) {
      const bases = await basesOf(session, node.id);
      refusePrivateBases(project, image, bases, destination);
    }
  }
}

/** A recipe that cannot be described has no bases yet; settling it will say why. */
async function basesOf(session: Session, id: string): Promise<string[]> {
  try {
    return [...(await basesOfNodes(session, [id])).keys()];
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
