/** For which files a recorded description holds. */

import { literalPattern } from "../files/selection.ts";
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
