/** What images take from elsewhere, as their recipes name it: base images and remote sources. */

import type { Subject } from "../model/events.ts";
import type { RemoteSource } from "../model/source.ts";
import { describeImage } from "../plan/evaluate_image.ts";
import { withUrl } from "../plan/remotes.ts";
import type { Session } from "./session.ts";

/** The remote things that some images name. */
export interface Remotes {
  /** Base reference → names of the images on it. */
  readonly bases: Map<string, Set<string>>;
  /** Name of a source whose content is not fixed → the source, and names of the images with it. */
  readonly sources: Map<string, { readonly source: RemoteSource; readonly images: Set<string> }>;
}

/** The remote things that the images among these nodes name. */
export async function remotesOfNodes(session: Session, ids: Iterable<Subject>): Promise<Remotes> {
  const { circumstances: c } = session;
  const remotes: Remotes = { bases: new Map(), sources: new Map() };
  const { bases, sources } = remotes;
  for (const id of ids) {
    const node = c.graph.node(id);
    if (node.type !== "image") continue;
    const { description } = await describeImage(c, node);
    for (const base of description.bases ?? []) {
      bases.set(base, (bases.get(base) ?? new Set()).add(node.image.name));
    }
    for (const named of description.sources ?? []) {
      if (named.fixed !== undefined) continue;
      const known = sources.get(named.name);
      if (known !== undefined) known.images.add(node.image.name);
      else {
        const source = await withUrl(c, node, named);
        sources.set(named.name, { source, images: new Set([node.image.name]) });
      }
    }
  }
  return remotes;
}
