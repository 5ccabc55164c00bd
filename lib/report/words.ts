/** Short texts that every reporter uses. */

import type { Reason, ResultDocument } from "../model/result.ts";
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

/** The closing line: how many of each, and how long it took. */
export function footer(document: ResultDocument, palette: Palette): string {
  const counts = ORDER.filter((word) => document.totals[word] !== undefined)
    .map((word) => `${document.totals[word]} ${word}`);
  const head = document.ok ? palette.strong("done") : palette.error("failed");
  return `${head}: ${counts.join(", ") || "nothing to do"} in ${duration(document.ms)}`;
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
