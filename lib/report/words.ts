/** Short texts that every reporter uses. */

import type { ImageResult, Reason, TaskResult } from "../model/result.ts";
import type { Transfer } from "./board.ts";

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
  "pushed",
  "copied",
  "retagged",
  "remote",
  "cached",
  "build",
  "unknown",
  "current",
  "skipped",
  "unavailable",
  "failed",
];

/** How many of each: `3 built, 1 cached`. */
export function countsText(totals: Readonly<Record<string, number>>): string {
  return ORDER.filter((word) => totals[word]).map((word) => `${totals[word]} ${word}`).join(", ");
}

/** How many there are of each status. */
export function countOf(all: readonly { readonly status?: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of all) if (status) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Results' names among others; the platform is part of one where an image has several. */
export function labelsOf(
  all: readonly (ImageResult | TaskResult)[],
): (result: ImageResult | TaskResult) => string {
  const several = new Set(
    all.filter((each) => "platform" in each && each.platform === "index").map(({ name }) => name),
  );
  return (result) =>
    "platform" in result && result.platform !== "index" && several.has(result.name)
      ? `${result.name}@${result.platform}`
      : result.name;
}

/** A name of at most so many characters, cut in the middle: names differ at both ends. */
export function shortName(name: string, length: number): string {
  if (name.length <= length) return name;
  const tail = Math.floor((length - 1) / 2);
  return `${name.slice(0, length - 1 - tail)}…${name.slice(name.length - tail)}`;
}

/** The most names that are listed one by one. */
const NAMED = 8;

/** Some names, and how many more there are. */
export function namesText(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}`;
}

/** A duration for people: `820 ms`, `4.2 s`, `3 min 5 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A size for people, in powers of 1000: `512 B`, `1.5 kB`, `203.1 MB`. */
export function size(bytes: number): string {
  const [value, unit] = scaled(bytes);
  return `${value} ${unit}`;
}

/** Bytes on their way: `45.2/203.1 MB, 12.3 MB/s`. */
export function transferText({ done, total, rate }: Transfer): string {
  const amount = total === undefined ? size(done) : sizeOf(done, total);
  return rate === undefined ? amount : `${amount}, ${size(rate)}/s`;
}

/** How much of how much: `45.2/203.1 MB`. */
function sizeOf(done: number, total: number): string {
  const [all, unit] = scaled(total);
  const factor = 1000 ** UNITS.indexOf(unit);
  const part = unit === "B" ? `${done}` : (done / factor).toFixed(1);
  return `${part}/${all} ${unit}`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

function scaled(bytes: number): [string, string] {
  let value = Math.round(bytes);
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return [unit === 0 ? `${value}` : value.toFixed(1), UNITS[unit]!];
}

/** A count and what is counted: `1 file`, `12 files`. */
export function countText(count: number, word: string, several = `${word}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? word : several}`;
}
