/** The remote bases of images, as their recipes name them. */

import { describeImage } from "../plan/evaluate_image.ts";
import type { Subject } from "../model/events.ts";
import type { Session } from "./session.ts";

/** Base reference → names of the images on it, of the images among these nodes. */
export async function basesOfNodes(
  session: Session,
  ids: Iterable<Subject>,
): Promise<Map<string, Set<string>>> {
  const { circumstances: c } = session;
  const bases = new Map<string, Set<string>>();
  for (const id of ids) {
    const node = c.graph.node(id);
    if (node.type !== "image") continue;
    const { description } = await describeImage(c, node);
    for (const base of description.bases ?? []) {
      bases.set(base, (bases.get(base) ?? new Set()).add(node.image.name));
    }
  }
  return bases;
}
