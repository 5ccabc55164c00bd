/** For which files a recorded description holds. */

import { literalPattern } from "../files/selection.ts";
import { linkedReads } from "../files/way.ts";
import type { Description } from "../model/plugin.ts";
import type { Selection } from "../model/selection.ts";

/**
 * What a description was made of. Each file is looked for from its own folder, which may be one
 * above images.ts. What a file holds counts more than what a selection says of it: it comes last.
 */
export function readsOf({ reads = [] }: Description): readonly Selection[] {
  const names = new Map<string, string[]>();
  for (const path of reads) {
    if (typeof path !== "string") continue;
    const at = path.lastIndexOf("/");
    const folder = path.slice(0, at + 1);
    names.set(folder, [...names.get(folder) ?? [], literalPattern(path.slice(at + 1))]);
  }
  return [
    ...reads.filter((each) => typeof each !== "string"),
    ...[...names].map(([folder, include]) => ({ root: folder || ".", include, as: folder })),
  ];
}

/** The same description, for which what links on the way to its files lead to counts as well. */
export function withLinkedReads(root: string, description: Description): Description {
  const { reads = [] } = description;
  const linked = linkedReads(root, reads.filter((each) => typeof each === "string"));
  return linked.length === 0 ? description : { ...description, reads: [...reads, ...linked] };
}
