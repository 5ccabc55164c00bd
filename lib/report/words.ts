/** Short texts that every reporter uses. */

import type { DestinationResult, Reason, ResultDocument } from "../model/result.ts";
import type { Palette } from "./palette.ts";

/** The first reason in a few words, and how many more there are. */
export function reasonText(reasons: readonly Reason[]): string {
  const [first] = reasons;
  if (first === undefined) return "";
  const more = reasons.length > 1 ? ` (+${reasons.length - 1} more)` : "";
  return `${describeReason(first)}${more}`;
}

/** One reason in a few words. */
export function describeReason({ kind, path = "", detail }: Reason): string {
  const how = detail === undefined ? "" : ` ${detail}`;
  switch (kind) {
    case "first-build":
      return "first build";
    case "input-changed":
      return path === "" ? `inputs changed:${how}` : `~ ${path}${detail ? ` (${detail})` : ""}`;
    case "input-added":
      return `+ ${path}`;
    case "input-removed":
      return `- ${path}`;
    case "option-changed":
      return `option ${path}${how}`;
    case "env-changed":
      return `env ${path}${how}`;
    case "base-changed":
      return `base ${path}${how}`;
    case "need-changed":
      return `because ${path} ${detail === "must be built first" ? detail : "changed"}`;
    case "plugin-changed":
      return `plugin${how}`;
    case "forced":
      return "forced";
    case "result-missing":
      return "its result is gone";
  }
}

/** The order totals are told in. */
const ORDER = [
  "pushed",
  "copied",
  "retagged",
  "built",
  "remote",
  "cached",
  "build",
  "unknown",
  "current",
  "skipped",
  "unavailable",
  "failed",
];

/** The closing line: how many of each, how many tags went where, and how long it took. */
export function footer(document: ResultDocument, palette: Palette): string {
  const head = document.ok ? palette.strong("done") : palette.error("failed");
  const images = countsText(document.totals) || "nothing to do";
  const tags: Record<string, number> = {};
  for (const { status } of document.images.flatMap((image) => image.destinations ?? [])) {
    tags[status] = (tags[status] ?? 0) + 1;
  }
  const published = countsText(tags);
  const where = published === "" ? "" : `; tags: ${published}`;
  return `${head}: ${images}${where} in ${duration(document.ms)}`;
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return ORDER.filter((word) => counts[word] !== undefined)
    .map((word) => `${counts[word]} ${word}`).join(", ");
}

/** One line for each destination; of tags that are all as they should be, one for all. */
export function destinationLines(
  destinations: readonly DestinationResult[],
  palette: Palette,
): string[] {
  const [first] = destinations;
  if (first !== undefined && destinations.every(({ status }) => status === "current")) {
    const tags = destinations.map(({ reference }) =>
      reference.slice(reference.lastIndexOf(":") + 1)
    );
    const repository = first.reference.slice(0, first.reference.lastIndexOf(":"));
    return [`${palette.status("current")}  ${repository}: ${tags.join(", ")}`];
  }
  return destinations.map(({ status, reference, detail }) => {
    // Of a failure the fault tells more.
    const why = detail === undefined || status === "failed"
      ? ""
      : `  ${palette.dim(`(${detail})`)}`;
    return `${palette.status(status)}  ${reference}${why}`;
  });
}

/** A duration for people: `820 ms`, `4.2 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round(ms % 60_000 / 1000)} s`;
}

/** A size for people, in powers of 1000: `512 B`, `1.5 kB`, `203.1 MB`. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
