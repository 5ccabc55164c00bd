/** Where an image was published, in a few lines. */

import type { DestinationResult } from "../model/result.ts";
import type { Palette } from "./palette.ts";

/** One line for all tags of a repository that came out alike. */
export function destinationLines(
  destinations: readonly DestinationResult[],
  palette: Palette,
): string[] {
  const groups = new Map<
    string,
    { readonly head: string; readonly tags: string[]; tail: string }
  >();
  for (const { status, reference, detail } of destinations) {
    const colon = reference.lastIndexOf(":");
    const hasTag = colon > reference.lastIndexOf("/");
    const repository = hasTag ? reference.slice(0, colon) : reference;
    // Of a failure the fault tells more.
    const why = detail === undefined || status === "failed"
      ? ""
      : `  ${palette.dim(`(${detail})`)}`;
    const group = groups.get(`${status} ${repository} ${why}`) ??
      { head: `${palette.status(status)}  ${repository}`, tags: [], tail: why };
    if (hasTag) group.tags.push(reference.slice(colon + 1));
    groups.set(`${status} ${repository} ${why}`, group);
  }
  return [...groups.values()].map(({ head, tags, tail }) => {
    // A single reference is written so that it can be copied.
    const separator = tags.length === 0 ? "" : tags.length === 1 ? ":" : ": ";
    return `${head}${separator}${tags.join(", ")}${tail}`;
  });
}

/** Whether a registry is another than before. */
export function isNews(destinations: readonly DestinationResult[]): boolean {
  return destinations.some(({ status }) => status !== "current");
}
